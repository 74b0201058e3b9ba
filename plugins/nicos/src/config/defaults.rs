//! What holds where the operator sets nothing.

pub(super) fn events_off() -> Vec<String> {
    vec!["cache".to_owned()]
}

pub(super) fn frame_limit_bytes() -> usize {
    4 << 20
}

pub(super) fn skip_limit_bytes() -> usize {
    64 << 20
}

pub(super) fn events_waiting_bytes() -> usize {
    8 << 20
}

pub(super) fn at_once() -> usize {
    1
}

pub(super) fn connect_deadline_s() -> f64 {
    5.0
}

pub(super) fn reply_deadline_s() -> f64 {
    10.0
}

pub(super) fn eval_deadline_s() -> f64 {
    300.0
}

pub(super) fn retry_first_s() -> f64 {
    0.2
}

pub(super) fn retry_most_s() -> f64 {
    10.0
}

pub(super) fn probe_s() -> f64 {
    15.0
}

pub(super) fn sign_of_life_s() -> f64 {
    5.0
}

pub(super) fn retry_refused_s() -> f64 {
    60.0
}

pub(super) fn keepalive_s() -> f64 {
    12.0 * 3600.0
}

pub(super) fn tcp_keepalive_s() -> f64 {
    30.0
}

pub(super) fn look_s() -> f64 {
    30.0
}

pub(super) fn silence_s() -> f64 {
    5.0
}

pub(super) fn idle_s() -> f64 {
    60.0
}

pub(super) fn verify_s() -> f64 {
    600.0
}

pub(super) fn queue_most() -> usize {
    64
}

pub(super) fn logins_most() -> usize {
    64
}

pub(super) fn log_most() -> u32 {
    1000
}

pub(super) fn name_bytes() -> usize {
    1024
}

pub(super) fn jobs_most() -> usize {
    1000
}

pub(super) fn login_pace_s() -> f64 {
    0.05
}
