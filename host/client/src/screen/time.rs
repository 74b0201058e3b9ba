//! Times as people say them.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::TimeZone;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Unix seconds.
pub(crate) fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}

/// How long something takes, as in `1 min 5 s`.
pub(crate) fn lasted(seconds: f64) -> String {
    match seconds.max(0.0) as u64 {
        s if s < 10 => format!("{:.1} s", seconds.max(0.0)),
        s if s < MINUTE => format!("{s} s"),
        s if s < HOUR => two(s / MINUTE, "min", s % MINUTE, "s"),
        s if s < DAY => two(s / HOUR, "h", s % HOUR / MINUTE, "min"),
        s => two(s / DAY, "d", s % DAY / HOUR, "h"),
    }
}

fn two(large: u64, large_unit: &str, small: u64, small_unit: &str) -> String {
    match small {
        0 => format!("{large} {large_unit}"),
        _ => format!("{large} {large_unit} {small} {small_unit}"),
    }
}

/// When something was, as in `5 min ago`; the clocks of two machines may differ a little.
pub(crate) fn ago(time: f64, now: f64) -> String {
    match (now - time).max(0.0) as u64 {
        0..3 => "just now".to_owned(),
        s if s < MINUTE => format!("{s} s ago"),
        s if s < HOUR => format!("{} min ago", s / MINUTE),
        s if s < DAY => format!("{} h ago", s / HOUR),
        s if s < 2 * DAY => "yesterday".to_owned(),
        s => format!("{} days ago", s / DAY),
    }
}

/// The hour of the day here, with the date if it is not today's.
pub(crate) fn clock(time: f64, now: f64) -> String {
    let zone = TimeZone::system();
    let at = |time: f64| {
        let stamp = Timestamp::from_millisecond((time * 1000.0) as i64);
        stamp.unwrap_or_default().to_zoned(zone.clone())
    };
    let (then, today) = (at(time), at(now));
    let format = match then.date() == today.date() {
        true => "%H:%M:%S",
        false => "%Y-%m-%d %H:%M:%S",
    };
    then.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units_at_most() {
        let said: Vec<_> = [-1.0, 0.4, 59.9, 60.0, 65.0, 3600.0, 3905.0, 90_000.0]
            .map(lasted)
            .into();
        let meant = [
            "0.0 s",
            "0.4 s",
            "59 s",
            "1 min",
            "1 min 5 s",
            "1 h",
            "1 h 5 min",
            "1 d 1 h",
        ];
        assert_eq!(said, meant);
    }

    #[test]
    fn the_past_is_said_roughly() {
        let said = [-5.0, 1.0, 12.0, 300.0, 7200.0, 100_000.0, 400_000.0].map(|s| ago(-s, 0.0));
        let meant = [
            "just now",
            "just now",
            "12 s ago",
            "5 min ago",
            "2 h ago",
            "yesterday",
            "4 days ago",
        ];
        assert_eq!(said, meant);
    }

    #[test]
    fn a_date_is_shown_only_of_other_days() {
        assert_eq!(clock(1_795_000_000.0, 1_795_000_000.0).len(), 8);
        assert_eq!(clock(1_790_000_000.0, 1_795_000_000.0).len(), 19);
    }
}
