//! Columns that are aligned.

/// The widest that a column becomes, in characters; longer text is cut off.
const WIDEST: usize = 48;

/// Rows as lines, each cell as wide as the widest of its column.
pub(crate) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or(0).min(WIDEST)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(widths).map(|(cell, width)| {
            let cell = cut(cell);
            format!("{cell:<width$}")
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        format!("{}\n", line.trim_end())
    });
    lines.collect()
}

fn cut(cell: &str) -> String {
    match cell.chars().count() > WIDEST {
        false => cell.to_owned(),
        true => cell.chars().take(WIDEST - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_characters_and_cut_where_too_wide() {
        let row = |one: &str, two: &str| [one.to_owned(), two.to_owned()];
        let text = table(&[row("µ", "x"), row("long", ""), row("z", &"y".repeat(60))]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "µ     x");
        assert_eq!(lines[1], "long");
        assert!(lines[2].ends_with("y…"));
        assert_eq!(lines[2].chars().count(), 6 + WIDEST);
    }
}
