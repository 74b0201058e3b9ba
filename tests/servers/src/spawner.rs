//! Children that cannot outlive us.
//!
//! Each child is started through `setpriv --pdeathsig KILL` (util-linux, always there on Debian), so that the kernel
//! kills it when we die, however that happens. The kernel watches the *thread* that started the child, and a test's
//! thread ends before the test process does; hence the one thread here that lives as long as the process and starts
//! all of them.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::thread;

type Started = io::Result<Child>;

struct Order {
    command: Command,
    answer: Sender<Started>,
}

static ORDERS: OnceLock<Sender<Order>> = OnceLock::new();

/// A command that runs `program` in a process group of its own (a terminal's Ctrl-C is ours to handle), and no longer
/// than this process.
pub(crate) fn guarded(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", "--"])
        .arg(program)
        .process_group(0);
    command
}

/// Starts a [`guarded`] command from the thread that never ends.
pub(crate) fn spawn(command: Command) -> Started {
    let (answer, started) = channel();
    let orders = ORDERS.get_or_init(start_thread);
    orders.send(Order { command, answer }).map_err(|_| gone())?;
    started.recv().map_err(|_| gone())?
}

fn start_thread() -> Sender<Order> {
    let (orders, taken) = channel::<Order>();
    thread::spawn(move || {
        for mut order in taken {
            let _ = order.answer.send(order.command.spawn());
        }
    });
    orders
}

fn gone() -> io::Error {
    io::Error::other("the thread that starts processes has ended")
}
