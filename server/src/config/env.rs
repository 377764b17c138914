//! Reads variables and gathers what is wrong with them.

use std::{fmt, ops::RangeInclusive, str::FromStr};

/// Reads variables by name. An empty one counts as not set.
pub struct Env<'a> {
    find: &'a dyn Fn(&str) -> Option<String>,
    problems: Vec<String>,
}

impl<'a> Env<'a> {
    /// Reads whatever this finds by name.
    pub fn new(find: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { find, problems: Vec::new() }
    }

    /// A variable as it is; none if it is not set.
    pub fn text(&mut self, name: &str) -> Option<String> {
        (self.find)(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// A variable that must mean something. What `parse` says is printed, so it must not repeat a secret.
    pub fn parsed<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        match parse(&self.text(name)?) {
            Ok(value) => Some(value),
            Err(why) => {
                self.wrong(name, &why);
                None
            }
        }
    }

    /// A variable with a default.
    pub fn read<T>(&mut self, name: &str, default: T, parse: impl FnOnce(&str) -> Result<T, String>) -> T {
        self.parsed(name, parse).unwrap_or(default)
    }

    /// A number with a default.
    pub fn number<T: FromStr + PartialOrd + fmt::Display>(
        &mut self,
        name: &str,
        default: T,
        range: RangeInclusive<T>,
    ) -> T {
        self.read(name, default, |text| {
            let number = text.parse().ok().filter(|number| range.contains(number));
            number.ok_or_else(|| format!("“{text}” is not a number from {} to {}", range.start(), range.end()))
        })
    }

    /// Items separated by commas or spaces.
    pub fn list<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
        let items = |text: &str| {
            text.split([',', ' ']).map(str::trim).filter(|item| !item.is_empty()).map(&parse).collect::<Result<_, _>>()
        };
        self.read(name, Vec::new(), items)
    }

    /// Notes a problem.
    pub fn wrong(&mut self, name: &str, why: &str) {
        self.problems.push(format!("{name}: {why}"));
    }

    /// All of the problems, if there are any.
    pub fn finish(self) -> Result<(), Problems> {
        if self.problems.is_empty() { Ok(()) } else { Err(Problems(self.problems)) }
    }
}

/// Everything that is wrong with the configuration.
#[derive(Debug, PartialEq, Eq)]
pub struct Problems(Vec<String>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "The configuration is wrong in {} place{}:",
            self.0.len(),
            if self.0.len() == 1 { "" } else { "s" }
        )?;
        self.0.iter().try_for_each(|problem| writeln!(f, "  {problem}"))?;
        write!(f, "Every variable is listed in the README.")
    }
}

impl std::error::Error for Problems {}
