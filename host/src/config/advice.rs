//! What somebody may have meant, as advice.

use patchbay_sdk::model::nearest;

/// `` did you mean `x`? `` or a list of what there is.
pub(super) fn advice(written: &str, known: &[&str], of_what: &str) -> String {
    match nearest(written, known.iter().copied()) {
        Some(word) => format!("did you mean `{word}`?"),
        None if known.is_empty() => String::new(),
        None => format!("{of_what}: {}", list(known)),
    }
}

/// `` `a`, `b` and `c` ``, cut after twenty.
pub(super) fn list(words: &[&str]) -> String {
    const SHOWN: usize = 20;
    let mut quoted: Vec<String> = words
        .iter()
        .take(SHOWN)
        .map(|word| format!("`{word}`"))
        .collect();
    if words.len() > SHOWN {
        return format!("{} and {} more", quoted.join(", "), words.len() - SHOWN);
    }
    match (quoted.pop(), quoted.is_empty()) {
        (Some(last), false) => format!("{} and {last}", quoted.join(", ")),
        (last, _) => last.unwrap_or_default(),
    }
}
