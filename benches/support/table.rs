//! A table on standard output.

/// Rows of cells under a header.
pub(crate) struct Table(Vec<Vec<String>>);

impl Table {
    /// A table with these columns.
    pub(crate) fn new(header: &[&str]) -> Self {
        Self(vec![header.iter().map(ToString::to_string).collect()])
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, label: &str, cells: impl IntoIterator<Item = String>) {
        self.0.push(core::iter::once(label.to_owned()).chain(cells).collect());
    }

    /// Prints the table; what is printed can be pasted into a Markdown file.
    #[expect(clippy::print_stdout, reason = "a bench prints its result")]
    pub(crate) fn print(&self) {
        let columns = self.0.iter().map(Vec::len).max().unwrap_or(0);
        let width =
            |column: usize| self.0.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
        for (number, row) in self.0.iter().enumerate() {
            let cell = |column: usize| row.get(column).map_or("", String::as_str);
            let padded = widths.iter().enumerate().map(|(column, &width)| match column {
                0 => format!("{:<width$}", cell(column)),
                _ => format!("{:>width$}", cell(column)),
            });
            println!("| {} |", padded.collect::<Vec<_>>().join(" | "));
            if number == 0 {
                let rules = widths.iter().enumerate().map(|(column, &width)| match column {
                    0 => "-".repeat(width),
                    _ => format!("{}:", "-".repeat(width.saturating_sub(1))),
                });
                println!("| {} |", rules.collect::<Vec<_>>().join(" | "));
            }
        }
    }
}
