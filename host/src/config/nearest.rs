//! What somebody may have meant.

/// The word most like `written`, if any is like it: a slip or two, or another way to join its parts.
pub(super) fn nearest<'w>(
    written: &str,
    known: impl IntoIterator<Item = &'w str>,
) -> Option<&'w str> {
    if written.len() > 64 {
        return None;
    }
    let plain = plain(written);
    let scored = known.into_iter().map(|word| {
        (
            strsim::damerau_levenshtein(&plain, &self::plain(word)),
            word,
        )
    });
    let close = scored
        .filter(|(slips, word)| *slips <= slips_allowed(&plain, word) || is_part(&plain, word));
    close.min_by_key(|(slips, _)| *slips).map(|(_, word)| word)
}

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

fn plain(word: &str) -> String {
    word.to_lowercase().replace('-', "_")
}

fn slips_allowed(written: &str, word: &str) -> usize {
    (written.len().max(word.len()) / 3).max(1)
}

/// Whether only the end is missing: `request_deadline` for `request_deadline_s`.
fn is_part(written: &str, word: &str) -> bool {
    written.len() >= 4 && word.starts_with(written)
}
