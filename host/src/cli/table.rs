//! Columns that are aligned, lines that fit, and spans of time as people say them.

/// No line of what is shown is longer, in characters.
pub(super) const WIDTH: usize = 80;

/// Columns two blanks apart, each as wide as its widest cell; control characters of names are cut out.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| clean(cell)).collect())
        .collect();
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths);
        let line: String = cells
            .map(|(cell, width)| format!("{cell:<width$}  "))
            .collect();
        format!("{}\n", line.trim_end())
    };
    rows.iter().map(line).collect()
}

/// Without what could paint the screen.
pub(super) fn clean(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// Not longer than so many characters.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.chars().count() > most {
        false => text.to_owned(),
        true => text.chars().take(most - 1).chain(['…']).collect(),
    }
}

/// Text in lines that fit, each behind that many blanks; what takes more than so many lines is cut off.
pub(super) fn wrapped(text: &str, blanks: usize, most_lines: usize) -> String {
    let width = WIDTH - blanks;
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in clean(text).split_whitespace() {
        let word = cut(word, width);
        if line.is_empty() {
            line = word;
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line = format!("{line} {word}");
        } else {
            lines.push(std::mem::replace(&mut line, word));
        }
    }
    lines.push(line);
    if lines.len() > most_lines {
        lines.truncate(most_lines);
        if let Some(last) = lines.last_mut() {
            *last = format!("{}…", cut(last, width - 1));
        }
    }
    let indented = lines.iter().map(|line| format!("{:blanks$}{line}\n", ""));
    indented.collect()
}

/// `5 s`, `3 min`, `7 h`, `12 d`.
pub(super) fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_names_cannot_paint_the_screen() {
        let rows = [["a", "long cell", "x"], ["näme", "b\x1b[2J", ""]];
        let rows: Vec<Vec<String>> = rows.map(|row| row.map(str::to_owned).to_vec()).to_vec();
        assert_eq!(table(&rows), "a     long cell  x\nnäme  b [2J\n");
    }

    #[test]
    fn lines_are_broken_between_words_and_too_many_are_cut_off() {
        let text = "four ".repeat(40);
        let shown = wrapped(&text, 4, 2);
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[0], format!("    {}", "four ".repeat(15).trim()));
        assert_eq!(lines[1], format!("    {}…", "four ".repeat(15).trim()));
        let shown = wrapped(&"x".repeat(500), 4, 2);
        assert_eq!(shown.trim_end().chars().count(), WIDTH);
        assert_eq!(wrapped("a\x1b[31mb", 0, 1), "a [31mb\n");
    }

    #[test]
    fn spans_are_as_coarse_as_one_needs_them() {
        assert_eq!(
            [5, 119, 120, 7199, 7200, 172_800].map(span),
            ["5 s", "119 s", "2 min", "119 min", "2 h", "2 d"]
        );
    }
}
