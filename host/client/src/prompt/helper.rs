//! What the Tab key completes: verbs, operations, and names of files.

use patchbay_sdk::model::OPS;
use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

use super::line;

/// The words that can be said.
#[derive(Default)]
pub(super) struct Words {
    files: FilenameCompleter,
}

impl Completer for Words {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        at: usize,
        context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let typed = &line[..at];
        let begin = typed.rfind(char::is_whitespace).map_or(0, |end| end + 1);
        let before: Vec<_> = typed[..begin].split_whitespace().collect();
        let words = match before.as_slice() {
            [] | ["help"] => line::verbs(),
            ["call"] => OPS.iter().map(|op| op.name.to_owned()).collect(),
            ["queue"] => ["list", "remove", "move"].map(String::from).into(),
            ["submit" | "edit", ..] => return self.files.complete(line, at, context),
            _ => Vec::new(),
        };
        Ok((begin, matching(words, &typed[begin..])))
    }
}

fn matching(words: Vec<String>, typed: &str) -> Vec<Pair> {
    let matching = words.into_iter().filter(|word| word.starts_with(typed));
    let pair = |word: String| Pair {
        replacement: format!("{word} "),
        display: word,
    };
    matching.map(pair).collect()
}

impl Hinter for Words {
    type Hint = String;
}

impl Highlighter for Words {}
impl Validator for Words {}
impl Helper for Words {}

#[cfg(test)]
mod tests {
    use super::*;
    use rustyline::history::DefaultHistory;

    fn complete(line: &str) -> Vec<String> {
        let history = DefaultHistory::new();
        let context = Context::new(&history);
        let (_, pairs) = Words::default()
            .complete(line, line.len(), &context)
            .unwrap();
        pairs.into_iter().map(|pair| pair.display).collect()
    }

    #[test]
    fn verbs_and_operations_are_completed() {
        assert_eq!(complete("stat"), ["status"]);
        assert_eq!(complete("call take"), ["take_control"]);
        assert_eq!(complete("queue r"), ["remove"]);
        assert!(complete("").contains(&"quit".to_owned()));
        assert!(complete("status x").is_empty());
    }
}
