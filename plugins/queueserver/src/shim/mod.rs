//! What is loaded into the environment, and what is said to it. See `shim.py`.

use serde::Serialize;

const TEXT: &str = include_str!("shim.py");

/// The text to load. An environment that has this very one keeps it.
#[must_use]
pub fn text() -> String {
    TEXT.replace("@VERSION@", &version())
}

/// Holds a script at its next line, or before its next statement.
#[must_use]
pub fn pause(job: &str, at: &str) -> String {
    call("pause", &(job, at))
}

/// Lets it go on.
#[must_use]
pub fn resume(job: &str) -> String {
    call("resume", &(job,))
}

/// Stops it at its next line, before its next statement, or now.
#[must_use]
pub fn stop(job: &str, at: &str, by: &str) -> String {
    call("stop", &(job, at, by))
}

/// Runs a script that calls the Run Engine itself.
#[must_use]
pub fn foreground(code: &str, job: &str, name: &str) -> String {
    call("foreground", &(code, job, name))
}

/// Tells the value of an expression.
#[must_use]
pub fn value(code: &str, nonce: u64) -> String {
    call("value", &(code, nonce))
}

/// Tells where the script is.
#[must_use]
pub fn trace(nonce: u64) -> String {
    call("trace", &(nonce,))
}

/// Runs statements in the environment's namespace.
#[must_use]
pub fn exec(code: &str) -> String {
    let code = serde_json::to_string(code).unwrap_or_default();
    // A code object of its own, so that its lines are counted from 1.
    format!("exec(compile({code}, \"<exec>\", \"exec\"), globals())")
}

/// JSON of texts and numbers is also Python.
fn call(method: &str, args: &impl Serialize) -> String {
    let args = serde_json::to_string(args).unwrap_or_default();
    let args = args
        .strip_prefix('[')
        .and_then(|args| args.strip_suffix(']'));
    let args = args.unwrap_or_default();
    format!("_patchbay.{method}({args})")
}

/// Another one with each change of the text (FNV-1a).
fn version() -> String {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = TEXT.bytes().fold(0xcbf2_9ce4_8422_2325, step);
    format!("{hash:016x}")
}

/// Whether a script calls the Run Engine (`RE(…)`), which cannot be done from within a plan. Comments and texts do not
/// count.
#[must_use]
pub fn calls_run_engine(code: &str) -> bool {
    let mut rest = code;
    let mut before = ' ';
    while let Some(char) = rest.chars().next() {
        let is_name = before.is_alphanumeric() || before == '_' || before == '.';
        let skipped = match char {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' => text_end(rest, char),
            'R' if !is_name && is_call(rest) => return true,
            other => other.len_utf8(),
        };
        before = char;
        rest = rest.get(skipped..).unwrap_or_default();
    }
    false
}

fn is_call(code: &str) -> bool {
    let after = code
        .strip_prefix("RE")
        .map(|after| after.trim_start_matches([' ', '\t']));
    after.is_some_and(|after| after.starts_with('('))
}

/// Where a text that begins here ends.
fn text_end(code: &str, quote: char) -> usize {
    let triple: String = [quote; 3].iter().collect();
    let end = match code.starts_with(&triple) {
        true => triple,
        false => quote.to_string(),
    };
    let mut at = end.len();
    while let Some(rest) = code.get(at..).filter(|rest| !rest.is_empty()) {
        match rest.chars().next() {
            Some('\\') => at += 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
            // A text of one line ends with it, whatever is wrong with it.
            Some('\n') if end.len() == 1 => return at,
            _ if rest.starts_with(&end) => return at + end.len(),
            Some(other) => at += other.len_utf8(),
            None => break,
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_the_run_engine_are_found_and_nothing_else() {
        for code in [
            "RE(count([det]))",
            "x = 1\nuid, = RE (scan())",
            "f'{1}'; RE(x)",
            "\"a\\\"\"; RE(1)",
        ] {
            assert!(calls_run_engine(code), "{code}");
        }
        for code in [
            "# RE(count())",
            "print('RE(x)')",
            "\"\"\"\nRE(x)\n\"\"\"",
            "PRE(1)",
            "RE.abort()",
            "x.RE(1)",
            "RE_(1)",
            "µ = 'RE(\\'RE(",
        ] {
            assert!(!calls_run_engine(code), "{code}");
        }
    }

    #[test]
    fn arguments_are_python() {
        let said = stop("j\"1", "now", "anna\n");
        assert_eq!(said, r#"_patchbay.stop("j\"1","now","anna\n")"#);
        assert_eq!(value("[1]", 7), r#"_patchbay.value("[1]",7)"#);
        assert!(text().contains(&version()) && !text().contains("@VERSION@"));
    }
}
