//! How far a script is, in the last line of the terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const WAITING: &str = "{spinner} {wide_msg}";
const RUNNING: &str = "{prefix} [{bar:20.=> }] line {pos}/{len}  {wide_msg}";
const TICK: Duration = Duration::from_millis(200);

/// A line that is drawn anew while lines go by above it. Nothing at all where standard error is no terminal.
pub(crate) struct Bar {
    is_shown: bool,
    bar: Option<ProgressBar>,
}

impl Bar {
    pub(super) fn new(is_shown: bool) -> Self {
        Self {
            is_shown,
            bar: None,
        }
    }

    /// Something that has no measure goes on.
    pub(crate) fn wait(&mut self, message: String) {
        if let Some(bar) = self.shown(WAITING) {
            bar.set_message(message);
        }
    }

    /// A script of `lines` lines, and what stands in it, is at `line`.
    pub(crate) fn at(&mut self, state: &str, line: u64, lines: u64, text: String) {
        if let Some(bar) = self.shown(RUNNING) {
            bar.set_length(lines.max(1));
            bar.set_prefix(state.to_owned());
            bar.set_position(line);
            bar.set_message(text);
        }
    }

    /// Takes it away, until there is something new to show.
    pub(crate) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// Writes something above it.
    pub(super) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn shown(&mut self, template: &str) -> Option<&ProgressBar> {
        if !self.is_shown {
            return None;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr());
            bar.enable_steady_tick(TICK);
            bar
        });
        // A template that cannot be read would be seen by every test that looks at the bar.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> ").tick_chars("|/-\\ "));
        }
        Some(bar)
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.clear();
    }
}
