//! What a line at the prompt says.

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use patchbay_sdk::model::nearest;

use crate::args::Verb;
use crate::complaint::{Complaint, Result};

/// A line that makes sense.
#[derive(Debug)]
pub(super) enum Line {
    Nothing,
    Leave,
    /// A text to show.
    Help(String),
    Verb(Verb),
    /// To be evaluated.
    Expression(String),
}

/// The verbs, as they are said here.
#[derive(Parser)]
#[command(no_binary_name = true, disable_help_flag = false, name = "")]
#[command(help_template = "{subcommands}", subcommand_help_heading = "Verbs")]
struct Typed {
    #[command(subcommand)]
    verb: Verb,
}

const ALSO: &str = "
  VERB --help  What a verb can be told
  quit         Leave, as does Ctrl-D

Anything else is evaluated at the script server, as by `eval`.";

/// All verbs, and those that are only said here.
pub(super) fn verbs() -> Vec<String> {
    let command = Typed::command();
    let names = command
        .get_subcommands()
        .map(|verb| verb.get_name().to_owned());
    names.chain(["help", "quit"].map(String::from)).collect()
}

/// Reads a line.
///
/// # Errors
/// When it is a verb said wrongly.
pub(super) fn read(line: &str) -> Result<Line> {
    let line = line.trim();
    let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    match first {
        "" => Ok(Line::Nothing),
        "quit" | "exit" if rest.is_empty() => Ok(Line::Leave),
        _ if !verbs().iter().any(|verb| verb == first) => other(line, first),
        // Code is not split into words: its spaces and quotes are its own.
        "eval" | "exec" if is_code(rest) => parse([first, "--", rest.trim()]),
        "call" if is_code(rest) => {
            let (op, args) = rest.trim().split_once(char::is_whitespace).unzip();
            let op = op.unwrap_or(rest.trim());
            parse(["call", op].into_iter().chain(args.map(str::trim)))
        }
        _ => match shlex::split(line) {
            Some(words) => parse(words),
            None => Err(Complaint::usage("a quote is not closed")),
        },
    }
}

fn is_code(rest: &str) -> bool {
    !matches!(rest.trim(), "" | "-h" | "--help")
}

/// A slip of the finger would only make the script server complain of an unknown name.
fn other(line: &str, first: &str) -> Result<Line> {
    let verbs = verbs();
    match nearest(first, verbs.iter().map(String::as_str)) {
        Some(verb) if first == line && !verb.starts_with(first) => {
            let message = format!("there is no verb `{first}`; perhaps `{verb}`?");
            Err(Complaint::usage(message).advice(format!("`eval {first}` evaluates it")))
        }
        _ => Ok(Line::Expression(line.to_owned())),
    }
}

fn parse<W: Into<std::ffi::OsString> + Clone>(words: impl IntoIterator<Item = W>) -> Result<Line> {
    match Typed::try_parse_from(words) {
        Ok(typed) => Ok(Line::Verb(typed.verb)),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp => Ok(Line::Help(help(&error))),
            _ => {
                let text = error.render().to_string();
                let text = text.trim_start_matches("error: ");
                let sentence = text.split("\n\n").next().unwrap_or(text).trim();
                let usage = text.lines().find(|line| line.starts_with("Usage:"));
                let complaint = Complaint::usage(sentence);
                Err(match usage {
                    Some(usage) => complaint.advice(usage),
                    None => complaint,
                })
            }
        },
    }
}

fn help(error: &clap::Error) -> String {
    let text = error.render().ansi().to_string();
    // Only the list of all verbs has one for help itself.
    match text.contains("Usage:") {
        true => text,
        false => text.trim_end().to_owned() + ALSO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verb(line: &str) -> Verb {
        match read(line) {
            Ok(Line::Verb(verb)) => verb,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn verbs_are_said_as_on_the_command_line() {
        assert!(matches!(verb("status"), Verb::Status));
        assert!(matches!(verb("queue remove abc"), Verb::Queue { .. }));
        let Verb::Submit(submit) = verb("submit 'my scan.py' --queue") else {
            panic!("a submit")
        };
        assert_eq!(submit.file.to_str(), Some("my scan.py"));
    }

    #[test]
    fn code_keeps_its_quotes_and_spaces() {
        let Verb::Eval { expression } = verb(r#"eval  f("a  b", -1)"#) else {
            panic!("an eval")
        };
        assert_eq!(expression, [r#"f("a  b", -1)"#]);
        let Verb::Exec { code } = verb("exec -x.y('')") else {
            panic!("an exec")
        };
        assert_eq!(code, ["-x.y('')"]);
        let Verb::Call { op, args } = verb(r#"call log {"last": 5}"#) else {
            panic!("a call")
        };
        assert_eq!(
            (op.unwrap(), args.unwrap()),
            ("log".into(), r#"{"last": 5}"#.into())
        );
    }

    #[test]
    fn what_is_no_verb_is_evaluated_unless_it_is_a_slip() {
        assert!(matches!(read("6 * 7"), Ok(Line::Expression(code)) if code == "6 * 7"));
        assert!(matches!(read("mot.read()"), Ok(Line::Expression(_))));
        let slip = read("stauts").unwrap_err();
        assert!(
            slip.message.contains("perhaps `status`"),
            "{}",
            slip.message
        );
    }

    #[test]
    fn mistakes_are_told_in_a_sentence() {
        let complaint = read("queue remove").unwrap_err();
        assert!(
            complaint.message.contains("required"),
            "{}",
            complaint.message
        );
        assert!(read("submit 'open").unwrap_err().message.contains("quote"));
        assert!(read("pause --at nowhere").is_err());
    }

    #[test]
    fn help_lists_all_verbs_and_leaving() {
        let Ok(Line::Help(text)) = read("help") else {
            panic!("help")
        };
        for word in ["submit", "emergency", "quit"] {
            assert!(text.contains(word), "{word} in {text}");
        }
        let Ok(Line::Help(text)) = read("submit --help") else {
            panic!("help")
        };
        assert!(text.contains("--queue"), "{text}");
        assert!(matches!(read(" "), Ok(Line::Nothing)));
        assert!(matches!(read("quit"), Ok(Line::Leave)));
    }
}
