//! What somebody may have meant.

/// The candidate most like `written`, if any is like it: a slip or two, another case, `-` for `_`,
/// or only the end missing.
///
/// ```
/// use patchbay_sdk::model::nearest;
/// assert_eq!(nearest("Stauts", ["status", "stop"]), Some("status"));
/// assert_eq!(nearest("xyzzy", ["status", "stop"]), None);
/// ```
pub fn nearest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // Nobody means a name of this length, and comparing takes time in proportion to it.
    let plain = plain((written.len() <= 64).then_some(written)?);
    let scored = candidates.into_iter().map(|candidate| {
        let slips = strsim::damerau_levenshtein(&plain, &self::plain(candidate));
        (slips, candidate)
    });
    let close = scored.filter(|(slips, candidate)| {
        *slips <= slips_allowed(&plain, candidate) || is_beginning(&plain, candidate)
    });
    close
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, candidate)| candidate)
}

fn plain(word: &str) -> String {
    word.to_lowercase().replace('-', "_")
}

fn slips_allowed(written: &str, candidate: &str) -> usize {
    (written.len().max(candidate.len()) / 3).max(1)
}

/// Whether only the end is missing: `request_deadline` for `request_deadline_s`.
fn is_beginning(written: &str, candidate: &str) -> bool {
    written.len() >= 4 && candidate.starts_with(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::OPS;

    #[test]
    fn a_slip_of_the_finger_is_recognised_and_nonsense_is_not() {
        let names = || OPS.iter().map(|op| op.name);
        assert_eq!(nearest("stauts", names()), Some("status"));
        assert_eq!(nearest("submitt", names()), Some("submit"));
        assert_eq!(nearest("Take-Control", names()), Some("take_control"));
        assert_eq!(nearest("xyzzyplugh", names()), None);
    }
}
