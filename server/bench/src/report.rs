//! What was measured: rows with their budgets, as a table and as JSON.

use crate::Failure;
use crate::stats::Spread;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// One figure beside its budget.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Which.
    pub name: String,
    /// In what: `ms`, `s`, `MB` (of 10⁶ bytes), `kB` (of 10³), `share`, `times`, `points`.
    pub unit: String,
    /// The median of its runs.
    pub value: f64,
    /// The least of its runs.
    pub min: f64,
    /// The most of its runs.
    pub max: f64,
    /// What was promised.
    pub budget: f64,
    /// Whether the promise is kept.
    pub pass: bool,
    /// Whether it was promised to be no less, instead of no more; for the table alone.
    #[serde(skip)]
    at_least: bool,
    /// Whose promise it is, for the name of its file.
    #[serde(skip)]
    owner: &'static str,
}

impl Row {
    /// A figure that must not be more than its budget.
    pub fn at_most(name: impl Into<String>, unit: &str, spread: Spread, budget: f64) -> Self {
        Self::new(name.into(), unit, spread, budget, false)
    }

    /// A figure that must not be less than its budget.
    pub fn at_least(name: impl Into<String>, unit: &str, spread: Spread, budget: f64) -> Self {
        Self::new(name.into(), unit, spread, budget, true)
    }

    fn new(name: String, unit: &str, spread: Spread, budget: f64, at_least: bool) -> Self {
        let Spread { value, min, max } = spread;
        let pass = if at_least { value >= budget } else { value <= budget };
        Self { name, unit: unit.to_owned(), value, min, max, budget, pass, at_least, owner: "" }
    }

    /// As a line of the table.
    fn line(&self) -> String {
        let bound = if self.at_least { "≥" } else { "≤" };
        format!(
            "{:<32} {:>11} {:>11} {:>11}  {bound} {:<10} {:<6} {}",
            self.name,
            shown(self.value),
            shown(self.min),
            shown(self.max),
            shown(self.budget),
            self.unit,
            if self.pass { "pass" } else { "MISS" }
        )
    }
}

/// A figure with about three digits that count.
pub fn shown(figure: f64) -> String {
    match figure.abs() {
        size if size >= 100.0 => format!("{figure:.0}"),
        size if size >= 10.0 => format!("{figure:.1}"),
        size if size >= 1.0 => format!("{figure:.2}"),
        _ => format!("{figure:.3}"),
    }
}

/// Everything that a run showed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    /// What was measured: the commit, with `-dirty` behind it when files were changed since.
    pub commit: String,
    /// The figures.
    pub rows: Vec<Row>,
    /// Whose promises are measured right now.
    #[serde(skip)]
    pub owner: &'static str,
}

impl Report {
    /// Nothing yet, of the checkout that we stand in.
    pub fn new() -> Self {
        let described =
            Command::new("git").args(["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]).output();
        let commit = described.ok().filter(|output| output.status.success());
        let commit =
            commit.map_or("unknown".to_owned(), |output| String::from_utf8_lossy(&output.stdout).trim().into());
        Self { commit, rows: Vec::new(), owner: "" }
    }

    /// Prints what a section found.
    pub fn add(&mut self, rows: Vec<Row>) {
        for row in rows {
            println!("  {}", row.line());
            self.rows.push(Row { owner: self.owner, ..row });
        }
    }

    /// Prints the table of all rows.
    pub fn print(&self) {
        println!("\n{:<32} {:>11} {:>11} {:>11}  {:<12} {:<6}", "row", "median", "min", "max", "budget", "unit");
        for row in &self.rows {
            println!("{}", row.line());
        }
        let missed = self.rows.iter().filter(|row| !row.pass).count();
        println!("\n{} of {} rows within budget, at {}", self.rows.len() - missed, self.rows.len(), self.commit);
    }

    /// Writes the rows as JSON, a file for each owner. What another run of the same commit measured, and this one did not, stays.
    pub fn write(&self, dir: &Path) -> Result<(), Failure> {
        std::fs::create_dir_all(dir)?;
        let owners: BTreeSet<_> = self.rows.iter().map(|row| row.owner).collect();
        for owner in owners {
            let file = dir.join(format!("{owner}.json"));
            let earlier = std::fs::read(&file).ok().and_then(|json| serde_json::from_slice::<Self>(&json).ok());
            let mut rows: Vec<Row> =
                earlier.filter(|earlier| earlier.commit == self.commit).map_or(Vec::new(), |it| it.rows);
            rows.retain(|row| self.rows.iter().all(|new| new.name != row.name));
            rows.extend(self.rows.iter().filter(|row| row.owner == owner).cloned());
            let all = Self { commit: self.commit.clone(), rows, owner };
            std::fs::write(&file, serde_json::to_vec_pretty(&all)?)?;
            println!("written to {}", file.display());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_which_way_its_budget_goes() {
        let spread = Spread::of([0.2, 0.3, 0.4]);
        let (share, time) = (Row::at_least("share", "share", spread, 0.33), Row::at_most("time", "ms", spread, 1.0));
        assert!(!share.pass && share.line().contains("≥ 0.330") && share.line().ends_with("MISS"), "{}", share.line());
        assert!(time.pass && time.line().contains("≤ 1.00") && time.line().ends_with("pass"), "{}", time.line());
        assert!(!Row::at_most("nothing measured", "ms", Spread::of([]), 1.0).pass);
    }

    #[test]
    fn rows_of_the_same_commit_are_kept_and_others_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let bench = dir.path().join("bench");
        let file = bench.join("main-job.json");
        let report = |commit: &str, name: &str, value: f64| {
            let mut report = Report { commit: commit.to_owned(), rows: Vec::new(), owner: "main-job" };
            report.add(vec![Row::at_most(name, "ms", Spread::of([value]), 1.0)]);
            report
        };
        let read = || serde_json::from_slice::<Report>(&std::fs::read(&file).unwrap()).unwrap();
        report("a", "one", 1.0).write(&bench).unwrap();
        report("a", "two", 2.0).write(&bench).unwrap();
        report("a", "one", 3.0).write(&bench).unwrap();
        let values: Vec<_> = read().rows.into_iter().map(|row| (row.name, row.value)).collect();
        assert_eq!(values, [("two".to_owned(), 2.0), ("one".to_owned(), 3.0)]);
        report("b", "three", 4.0).write(&bench).unwrap();
        assert_eq!(read().rows.len(), 1);
    }
}
