//! What something said once, kept in a file, and compared with what it says now.
//!
//! With `WRITE_GOLDEN=1` in the environment the files are written anew; look at the difference before it is committed.

use serde_json::Value;
use std::path::Path;

/// The environment variable that has the files written.
const WRITE: &str = "WRITE_GOLDEN";

/// So much of a difference is shown, in lines.
const SHOWN: usize = 12;

/// A text is what the file says.
///
/// # Panics
/// If it is not, with the first lines that differ.
///
/// ```
/// # let folder = std::env::temp_dir().join(format!("golden-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// # std::fs::write(folder.join("hello.txt"), "hello\n").unwrap();
/// use patchbay_testkit::golden;
/// golden::text(&folder.join("hello.txt"), "hello\n");
/// # std::fs::remove_dir_all(&folder).unwrap();
/// ```
pub fn text(path: &Path, said: &str) {
    if std::env::var_os(WRITE).is_some_and(|write| write == "1") {
        write(path, said);
    } else if let Err(difference) = compare(path, said) {
        panic!("{difference}");
    }
}

/// A value is what the file says, whatever the order of its fields and the white space.
///
/// # Panics
/// As [`text`].
pub fn json(path: &Path, said: &Value) {
    let mut text = format!("{said:#}");
    text.push('\n');
    let kept = std::fs::read_to_string(path).ok();
    let is_same = kept
        .is_some_and(|kept| serde_json::from_str::<Value>(&kept).is_ok_and(|kept| kept == *said));
    if !is_same {
        self::text(path, &text);
    }
}

fn write(path: &Path, said: &str) {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).expect("a folder for it");
    }
    std::fs::write(path, said).expect("the file can be written");
}

/// A sentence and the lines that differ, if any do.
fn compare(path: &Path, said: &str) -> Result<(), String> {
    let shown = path.display();
    let how = format!("if it should be so, write it by {WRITE}=1 and look at the difference");
    let kept = std::fs::read_to_string(path)
        .map_err(|error| format!("{shown} cannot be read: {error}; {how}"))?;
    // As git may have checked it out.
    let kept = kept.replace("\r\n", "\n");
    match kept == said {
        true => Ok(()),
        false => Err(format!(
            "{shown} says otherwise; {how}:\n{}",
            difference(&kept, said)
        )),
    }
}

/// From the first line that differs on: what is kept, and what was said.
fn difference(kept: &str, said: &str) -> String {
    let same = kept
        .lines()
        .zip(said.lines())
        .take_while(|(kept, said)| kept == said)
        .count();
    let part = |text: &str, mark: &str| {
        let lines = text.lines().skip(same).take(SHOWN);
        lines
            .map(|line| format!("{mark} {line}\n"))
            .collect::<String>()
    };
    format!("line {}:\n{}{}", same + 1, part(kept, "-"), part(said, "+"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> std::path::PathBuf {
        std::env::temp_dir().join(format!("patchbay-golden-{}-{name}", std::process::id()))
    }

    #[test]
    fn what_differs_is_shown_from_its_first_line_on_with_what_to_do() {
        let path = scratch("differs");
        write(&path, "one\ntwo\nthree\n");
        let difference = compare(&path, "one\n2\nthree\n").expect_err("they differ");
        std::fs::remove_file(&path).expect("it is there");
        assert!(
            difference.contains("line 2:\n- two\n- three\n+ 2\n+ three\n"),
            "{difference}"
        );
        assert!(difference.contains("WRITE_GOLDEN=1"), "{difference}");
    }

    #[test]
    fn a_file_that_is_not_there_says_how_to_write_it() {
        let missing = compare(&scratch("missing"), "x").expect_err("it is not there");
        assert!(
            missing.contains("cannot be read") && missing.contains("WRITE_GOLDEN=1"),
            "{missing}"
        );
    }

    #[test]
    fn the_order_of_fields_is_no_difference() {
        let path = scratch("order");
        write(&path, r#"{"b": [1, 2], "a": null}"#);
        json(&path, &serde_json::json!({"a": null, "b": [1, 2]}));
        std::fs::remove_file(&path).expect("it is there");
    }
}
