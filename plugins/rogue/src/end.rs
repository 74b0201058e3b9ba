//! How a plugin can end the process in which it runs, whatever everybody else does in it.

use std::hint::black_box;

/// A way to end it.
#[derive(Clone, Copy)]
pub(crate) enum End {
    /// `abort`: as a panic in a destructor, a failed allocation, an assertion in C.
    Abort,
    /// `exit`: with a status, as a library in C that thinks it is a program.
    Exit,
    /// `segfault`: a memory access that must not be.
    Segfault,
    /// `overflow`: of the stack.
    Overflow,
}

impl End {
    pub(crate) fn read(how: &str) -> Option<End> {
        Some(match how {
            "abort" => End::Abort,
            "exit" => End::Exit,
            "segfault" => End::Segfault,
            "overflow" => End::Overflow,
            _ => return None,
        })
    }

    pub(crate) fn act(self) {
        match self {
            End::Abort => std::process::abort(),
            End::Exit => std::process::exit(3),
            End::Segfault => segfault(),
            End::Overflow => _ = black_box(descend(1)),
        }
    }
}

fn descend(depth: u64) -> u64 {
    if depth == 0 {
        return 0;
    }
    let filled = black_box([depth; 512]);
    let below = black_box(descend(depth + 1));
    below.wrapping_add(filled[0])
}

/// The signal, as the system sends it, again and again: Rust's own handler takes the first one, looks for an overflow of
/// the stack and then stands aside.
#[cfg(unix)]
fn segfault() -> ! {
    use rustix::process::{Signal, getpid, kill_process};
    loop {
        let _ = kill_process(getpid(), Signal::SEGV);
    }
}

#[cfg(not(unix))]
fn segfault() -> ! {
    std::process::abort();
}
