//! How a gateway is, on one page that fits a terminal.

use super::advice;
use crate::broker::{Holder, InstanceStatus};
use crate::cli::table::{cut, span, table, wrapped};
use crate::control::GatewayStatus;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

/// The widest that the columns of names and plugins become, so that all fit.
const NAMES: usize = 21;
const PLUGINS: usize = 9;
/// Lines of a reason; the whole of it stands in `--json` and in the log.
const REASON: usize = 3;

pub(super) fn page(status: &GatewayStatus, file: &Path) -> String {
    let (name, version, pid) = (&status.name, &status.version, status.pid);
    let process = in_process(pid, status.memory_bytes);
    let up = span(status.up_s);
    let head = format!("{name}, version {version}, {process}, up for {up}");
    format!(
        "{}{}\n{}\n{}",
        wrapped(&head, 0, 2),
        wrapped(&status.state.to_string(), 0, 3),
        instances(&status.instances),
        what_to_do(status, file)
    )
}

/// A line for each, and below it why it is not well.
fn instances(instances: &[InstanceStatus]) -> String {
    let head = ["", "PLUGIN", "IS", "SINCE", "CLIENTS", "FAILED"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(instances.iter().map(row));
    let table = table(&rows);
    let mut lines = table.lines();
    let mut shown = format!("{}\n", lines.next().unwrap_or_default());
    for (line, instance) in lines.zip(instances) {
        shown += &format!("{line}\n");
        if let (false, Some(to)) = (fits(instance), &instance.to) {
            shown += &wrapped(&format!("→ {to}"), 4, 1);
        }
        if let Some(then) = &instance.then {
            shown += &wrapped(&format!("→ {then} when idle"), 4, 1);
        }
        if let Some(process) = instance.process {
            shown += &wrapped(&in_process(process, instance.memory_bytes), 4, 1);
        }
        if let Some(holder) = &instance.control {
            shown += &wrapped(&in_control(holder), 4, 2);
        }
        if !instance.reason.is_empty() {
            shown += &wrapped(&instance.reason, 4, REASON);
        }
    }
    shown
}

fn in_process(number: u32, memory: Option<u64>) -> String {
    let memory = memory.map_or(String::new(), |bytes| {
        format!(", {} MB of memory", bytes / 1_000_000)
    });
    format!("process {number}{memory}")
}

fn in_control(holder: &Holder) -> String {
    let since = UNIX_EPOCH + Duration::try_from_secs_f64(holder.since).unwrap_or_default();
    let span = span(since.elapsed().unwrap_or_default().as_secs());
    let (user, session) = (&holder.user, holder.session);
    format!("{user} (session {session}) has had control for {span}")
}

/// Whether there is room for where it leads to beside its name.
fn fits(instance: &InstanceStatus) -> bool {
    let to = instance.to.as_ref().map_or(0, |to| to.len() + 3);
    instance.id.len() + to <= NAMES
}

fn row(instance: &InstanceStatus) -> Vec<String> {
    let name = match &instance.to {
        Some(to) if fits(instance) => format!("{} → {to}", instance.id),
        _ => instance.id.clone(),
    };
    let plugin = instance.plugin.strip_prefix("patchbay-");
    vec![
        cut(&name, NAMES),
        cut(plugin.unwrap_or(&instance.plugin), PLUGINS),
        advice::state_of(instance),
        format!("{} ago", span(instance.since_s)),
        instance.sessions.to_string(),
        instance.failures.to_string(),
    ]
}

fn what_to_do(status: &GatewayStatus, file: &Path) -> String {
    let mut shown = String::new();
    if status.state.trouble.is_some() {
        shown += "  - submits are refused; why stands above: make room or mend it\n";
    }
    for instance in &status.instances {
        for advice in advice::on(instance) {
            shown += &wrapped(&advice, 4, 4).replacen("    ", "  - ", 1);
        }
        if advice::needs_restart(instance) {
            // To be copied, therefore never broken.
            shown += &format!("    patchbay restart {} {}\n", instance.id, file.display());
        }
    }
    match shown.is_empty() {
        true => "all is well\n".to_owned(),
        false => format!("not all is well:\n{shown}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::table::WIDTH;
    use crate::control::StateFolder;

    fn instance(id: &str, phase: &str, health: &str, reason: &str) -> InstanceStatus {
        InstanceStatus {
            id: id.into(),
            role: "backend".into(),
            plugin: "patchbay-nicos".into(),
            phase: phase.into(),
            health: health.into(),
            reason: reason.into(),
            since_s: 200,
            process: None,
            memory_bytes: None,
            starts_in_s: (phase == "waiting").then_some(4),
            failures: 3,
            threads_abandoned: 0,
            to: None,
            then: None,
            sessions: 12,
            control: None,
        }
    }

    fn shown(instances: Vec<InstanceStatus>) -> String {
        let status = GatewayStatus {
            name: "zoom".into(),
            version: "1.2.3".into(),
            pid: 4711,
            up_s: 7300,
            memory_bytes: Some(84_000_000),
            state: StateFolder {
                path: "/var/lib/zoom".into(),
                free_bytes: 812 << 20,
                trouble: None,
            },
            instances,
        };
        page(&status, Path::new("zoom.toml"))
    }

    #[test]
    fn where_all_is_well_it_says_so() {
        let frontend = InstanceStatus {
            role: "frontend".into(),
            plugin: "patchbay-socket".into(),
            to: Some("nicos".into()),
            ..instance("local", "running", "up", "")
        };
        let shown = shown(vec![instance("nicos", "running", "up", ""), frontend]);
        let expected = "\
zoom, version 1.2.3, process 4711, 84 MB of memory, up for 2 h
state in /var/lib/zoom: 812 MiB free

               PLUGIN  IS       SINCE      CLIENTS  FAILED
nicos          nicos   running  3 min ago  12       3
local → nicos  socket  running  3 min ago  12       3

all is well
";
        assert_eq!(shown, expected);
    }

    #[test]
    fn every_phase_says_why_and_what_to_do() {
        let hanging = InstanceStatus {
            threads_abandoned: 2,
            ..instance(
                "c",
                "quarantined",
                "starting",
                "it hangs: its thread has been blocked for 60 s (hang_s)",
            )
        };
        let shown = shown(vec![
            instance("a", "running", "down", "no connection to localhost:1301"),
            instance("b", "waiting", "starting", "it stopped by itself"),
            hanging,
            instance("d", "starting", "starting", ""),
            instance("e", "stopping", "up", ""),
            instance("f", "running", "degraded", "events do not come"),
            instance("g", "stopped", "up", ""),
        ]);
        let expected = "\
zoom, version 1.2.3, process 4711, 84 MB of memory, up for 2 h
state in /var/lib/zoom: 812 MiB free

   PLUGIN  IS            SINCE      CLIENTS  FAILED
a  nicos   down          3 min ago  12       3
    no connection to localhost:1301
b  nicos   again in 4 s  3 min ago  12       3
    it stopped by itself
c  nicos   quarantined   3 min ago  12       3
    it hangs: its thread has been blocked for 60 s (hang_s)
d  nicos   starting      3 min ago  12       3
e  nicos   stopping      3 min ago  12       3
f  nicos   degraded      3 min ago  12       3
    events do not come
g  nicos   stopped       3 min ago  12       3

not all is well:
  - a runs, but not its script server: see that it does. a tries on by itself
  - b has failed and starts anew by itself: look again in a moment
  - 2 threads of c hang, a mistake in its plugin: tell its author. They go when
    the gateway is restarted
  - c does not start anew by itself any more: mend the cause, which stands
    above, then type
    patchbay restart c zoom.toml
  - d is starting: look again in a moment
  - e is finishing what it has: look again in a moment
  - f works in part; the reason stands above
  - g has ended, as it was asked to
";
        assert_eq!(shown, expected, "{shown}");
    }

    #[test]
    fn no_line_is_longer_than_a_terminal_is_wide() {
        let long = "x".repeat(32);
        let instance = InstanceStatus {
            plugin: format!("patchbay-{long}"),
            to: Some(long.clone()),
            since_s: 7199,
            starts_in_s: Some(3600),
            failures: 100_000,
            sessions: 100_000,
            threads_abandoned: 1000,
            ..instance(&long, "waiting", "starting", &"word ".repeat(1000))
        };
        let shown = shown(vec![instance]);
        for line in shown.lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
        // More of a reason than anybody reads does not push the rest off the screen.
        assert!(shown.lines().count() < 24, "{shown}");
    }
}
