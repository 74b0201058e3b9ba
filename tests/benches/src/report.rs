//! How figures are shown, written and recorded.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use patchbay_servers::workspace_dir;
use serde_json::{Value, json};

use crate::figure::{Aim, Bound, Figure, Measured, Spread, To, ratios};

/// Where figures are recorded: each benchmark between two comments, whatever stands around them.
pub const RECORD: &str = "tests/benches/RESULTS.md";

/// What was measured, and in which unit, if it has one.
fn heading(figure: &Figure) -> String {
    match figure.unit.is_empty() {
        true => figure.what.to_string(),
        false => format!("{}, {}", figure.what, figure.unit),
    }
}

/// All figures as a table that people read.
pub fn table(measured: &Measured) -> String {
    let mut text = String::new();
    for figure in &measured.figures {
        let _ = writeln!(text, "\n{}", heading(figure));
        for series in &figure.series {
            let Some(spread) = Spread::of(&series.rounds) else {
                continue;
            };
            let ratio = ratio_to_first(figure, &series.contender);
            let _ = writeln!(
                text,
                "  {:26} {:>10}  ({} – {}){}",
                series.contender,
                number(spread.median),
                number(spread.min),
                number(spread.max),
                ratio.map_or(String::new(), |ratio| format!(
                    "   × {}",
                    spread_text(ratio)
                ))
            );
        }
        for aim in &figure.aims {
            let _ = writeln!(text, "  aim: {}", aim_text(figure, aim));
        }
    }
    text
}

/// The figures of all rounds, what they come to, and the ratios, for programs.
pub fn write_json(file: &Path, measured: &[Measured]) -> Result<()> {
    let all: Vec<Value> = measured.iter().map(measured_json).collect();
    let text = serde_json::to_string_pretty(&all)?;
    fs::write(file, text + "\n").map_err(Into::into)
}

fn measured_json(measured: &Measured) -> Value {
    json!({
        "bench": measured.bench,
        "about": measured.about,
        "rounds": measured.rounds,
        "machine": measured.machine,
        "figures": measured.figures.iter().map(figure_json).collect::<Vec<_>>(),
    })
}

fn figure_json(figure: &Figure) -> Value {
    let series = figure.series.iter().map(|series| {
        json!({
            "contender": series.contender,
            "rounds": series.rounds,
            "spread": Spread::of(&series.rounds),
            "ratio_to_first": ratio_to_first(figure, &series.contender),
        })
    });
    let aims = figure.aims.iter().map(|aim| {
        let (came, met) = figure.reached(aim).unzip();
        json!({ "aim": aim, "came": came, "met": met })
    });
    json!({
        "what": figure.what,
        "unit": figure.unit,
        "series": series.collect::<Vec<_>>(),
        "aims": aims.collect::<Vec<_>>(),
    })
}

/// Puts the figures into the record.
pub fn record(measured: &Measured) -> Result<()> {
    let path = workspace_dir().join(RECORD);
    let before = fs::read_to_string(&path).with_context(|| format!("reading {RECORD}"))?;
    let after = placed(&before, measured.bench, &section(measured));
    fs::write(&path, after).with_context(|| format!("writing {RECORD}"))
}

/// The text with a benchmark's section in place of an earlier one, or else behind all others.
fn placed(text: &str, bench: &str, section: &str) -> String {
    let begin = format!("<!-- measured: {bench} -->\n");
    let end = format!("<!-- end of {bench} -->\n");
    let new = format!("{begin}{section}{end}");
    let old = text.find(&begin).zip(text.find(&end));
    match old {
        Some((from, to)) if from < to => {
            format!("{}{new}{}", &text[..from], &text[to + end.len()..])
        }
        _ => format!("{text}\n{new}"),
    }
}

fn section(measured: &Measured) -> String {
    let machine = &measured.machine;
    let mut text = format!(
        "### `{}`: {}\n\n{} UTC, commit {}, {} × {}, Linux {}, load {} before, {} rounds.\n\n",
        measured.bench,
        measured.about,
        machine.date,
        machine.commit,
        machine.cores,
        machine.processor,
        machine.kernel,
        machine.load,
        measured.rounds
    );
    text.push_str(
        "| | | median | least – greatest | ratio to the first |\n|---|---|---|---|---|\n",
    );
    for figure in &measured.figures {
        let mut what = heading(figure);
        for series in &figure.series {
            let Some(spread) = Spread::of(&series.rounds) else {
                continue;
            };
            let ratio = ratio_to_first(figure, &series.contender).map(spread_text);
            let _ = writeln!(
                text,
                "| {what} | {} | {} | {} – {} | {} |",
                series.contender,
                number(spread.median),
                number(spread.min),
                number(spread.max),
                ratio.unwrap_or_default()
            );
            what.clear();
        }
    }
    let aims = measured
        .figures
        .iter()
        .flat_map(|figure| figure.aims.iter().map(move |aim| (figure, aim)));
    for (at, (figure, aim)) in aims.enumerate() {
        let _ = write!(text, "{}", if at == 0 { "\nAims:\n\n" } else { "" });
        let _ = writeln!(text, "* {}: {}", figure.what, aim_text(figure, aim));
    }
    text
}

/// `None` for the first itself, and where there is nobody else.
fn ratio_to_first(figure: &Figure, contender: &str) -> Option<Spread> {
    let first = figure.series.first()?;
    if first.contender == contender {
        return None;
    }
    Spread::of(&ratios(figure.of(contender), &first.rounds))
}

fn aim_text(figure: &Figure, aim: &Aim) -> String {
    let (sign, bound) = match aim.bound {
        Bound::AtMost(bound) => ("≤", bound),
        Bound::AtLeast(bound) => ("≥", bound),
    };
    let unit = figure.unit;
    let wanted = match &aim.to {
        To::Itself => format!("{sign} {} {unit}", number(bound)),
        To::Times(other) => format!("{sign} {} × {other}", number(bound)),
        To::OverSumOf(others) => {
            format!(
                "{sign} {} {unit} above {}",
                number(bound),
                others.join(" + ")
            )
        }
    };
    match figure.reached(aim) {
        Some((spread, true)) => format!("{} {wanted}: met, {}", aim.contender, spread_text(spread)),
        Some((spread, false)) => {
            format!(
                "{} {wanted}: **missed**, {}",
                aim.contender,
                spread_text(spread)
            )
        }
        None => format!("{} {wanted}: not measured", aim.contender),
    }
}

fn spread_text(spread: Spread) -> String {
    let Spread { median, min, max } = spread;
    format!("{} ({} – {})", number(median), number(min), number(max))
}

/// With three digits that count, or all before the point.
fn number(number: f64) -> String {
    let digits = match number.abs() {
        size if size >= 100.0 || size == 0.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 0.1 => 2,
        _ => 4,
    };
    format!("{number:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine;

    fn measured() -> Measured {
        let mut figure = Figure::new("rate", "/s");
        for (floor, gateway) in [(1000.0, 950.0), (1200.0, 1200.0), (800.0, 640.0)] {
            figure.add("floor", floor);
            figure.add("gateway", gateway);
        }
        let figure = figure.aim("gateway", To::Times("floor".into()), Bound::AtLeast(0.96));
        Measured {
            bench: "broker",
            about: "what it costs",
            rounds: 3,
            machine: Machine {
                date: "2026-11-27 18:00".into(),
                commit: "abc".into(),
                processor: "a processor".into(),
                cores: 2,
                kernel: "6.1".into(),
                load: "0.10".into(),
            },
            figures: vec![figure],
        }
    }

    #[test]
    fn programs_get_the_rounds_what_they_come_to_the_ratios_and_the_aims() {
        let json = measured_json(&measured());
        let figure = &json["figures"][0];
        let second = &figure["series"][1];
        assert!(
            second["rounds"]
                .as_array()
                .is_some_and(|rounds| !rounds.is_empty())
        );
        for number in ["median", "least", "greatest"] {
            assert!(second["spread"][number].is_f64(), "{number}");
            assert!(second["ratio_to_first"][number].is_f64(), "{number}");
        }
        assert!(figure["series"][0]["ratio_to_first"].is_null());
        assert!(figure["aims"][0]["met"].is_boolean());
    }

    #[test]
    fn the_table_shows_ratios_with_their_spread_and_whether_aims_are_met() {
        let lines: Vec<String> = table(&measured()).lines().map(str::to_owned).collect();
        assert_eq!(lines[1], "rate, /s");
        assert_eq!(
            lines[2].split_whitespace().collect::<Vec<_>>().join(" "),
            "floor 1000 (800 – 1200)"
        );
        assert!(lines[3].ends_with("× 0.95 (0.80 – 1.00)"), "{}", lines[3]);
        assert_eq!(
            lines[4],
            "  aim: gateway ≥ 0.96 × floor: **missed**, 0.95 (0.80 – 1.00)"
        );
    }

    #[test]
    fn a_record_takes_the_place_of_the_one_before_and_leaves_the_rest_alone() {
        let hand = "# Results\n\nBy hand, above.\n";
        let first = placed(hand, "broker", "one\n");
        let both = placed(&first, "nicos", "two\n") + "\nBy hand, below.\n";
        let again = placed(&both, "broker", "three\n");
        assert_eq!(again, both.replace("one\n", "three\n"));
        assert!(again.starts_with(hand) && again.ends_with("By hand, below.\n"));
    }

    #[test]
    fn a_record_says_where_and_when() {
        let text = section(&measured());
        for part in [
            "2026-11-27 18:00",
            "commit abc",
            "2 × a processor",
            "Linux 6.1",
            "load 0.10",
            "3 rounds",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(
            text.contains("|  | gateway | 950 | 640 – 1200 | 0.95 (0.80 – 1.00) |"),
            "{text}"
        );
    }

    #[test]
    fn numbers_have_the_digits_that_count() {
        let shown = [1234.5, 99.94, 1.234, 0.0123].map(number);
        assert_eq!(shown, ["1234", "99.9", "1.23", "0.0123"]);
    }
}
