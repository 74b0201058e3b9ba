//! How long steps tell what they are doing.

/// Takes one line at a time, as soon as there is one.
pub type Progress<'a> = &'a dyn Fn(&str);

/// Says nothing.
pub fn silent(_line: &str) {}

/// Writes each line to standard error.
pub fn to_stderr(line: &str) {
    eprintln!("{line}");
}
