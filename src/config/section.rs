//! One table of a TOML file, or one row of a CSV file, seen the same way.
//!
//! A faulty value is noted in the report and its caller goes on with something harmless: a configuration with faults
//! is never handed out, so nobody sees the substitute.

use super::check::{self, Checked};
use super::fault::{FileNo, Place, Report};
use super::form::{self, Form};
use core::ops::RangeInclusive;
use core::time::Duration;
use csv::StringRecord;
use jiff::civil::Date;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A table or a row, being read.
#[derive(Clone, Copy)]
pub(super) struct Section<'a> {
    report: &'a Report,
    form: Form,
    file: FileNo,
    place: Place,
    fields: Fields<'a>,
}

#[derive(Clone, Copy)]
enum Fields<'a> {
    /// Nothing: the table is not in the file.
    Absent,
    Table(&'a DeTable<'a>),
    Row(Row<'a>),
}

/// A row of a CSV file.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) cells: &'a StringRecord,
    pub(super) columns: &'a Columns,
    /// Where it begins, in bytes.
    pub(super) start: u64,
    /// Which of the row's tables it stands for.
    pub(super) part: Part,
}

/// A table that a row holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The unit itself.
    Unit,
    /// Its nested snmp table.
    Snmp,
    /// Its nested table of limits.
    Degraded,
}

/// Which cell of a row holds which key.
pub(super) type Columns = Vec<(Part, &'static str, usize)>;

impl Part {
    const ALL: [Self; 3] = [Self::Unit, Self::Snmp, Self::Degraded];

    /// What its columns begin with.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Unit => "",
            Self::Snmp => "snmp_",
            Self::Degraded => "degraded_",
        }
    }

    /// The part that is nested under `key`.
    fn under(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.prefix().strip_suffix('_') == Some(key))
    }

    /// The keys that a cell may hold.
    fn keys(self) -> impl Iterator<Item = &'static str> {
        let form = match self {
            Self::Unit => form::UNIT,
            Self::Snmp => form::SNMP,
            Self::Degraded => form::DEGRADED,
        };
        form.keys.iter().copied().filter(|key| Self::under(key).is_none())
    }

    /// What the column of this name holds.
    pub(super) fn of_column(name: &str) -> Option<(Self, &'static str)> {
        let find = |part: Self| {
            let wanted = name.strip_prefix(part.prefix())?;
            part.keys().find(|key| *key == wanted).map(|key| (part, key))
        };
        Self::ALL.into_iter().find_map(find)
    }

    /// Every column there may be.
    pub(super) fn columns() -> Vec<String> {
        Self::ALL.into_iter().flat_map(|part| part.keys().map(move |key| format!("{}{key}", part.prefix()))).collect()
    }
}

#[derive(Clone, Copy)]
struct Value<'a> {
    raw: Raw<'a>,
    place: Place,
}

#[derive(Clone, Copy)]
enum Raw<'a> {
    Toml(&'a DeValue<'a>),
    Cell(&'a str),
}

impl<'a> Raw<'a> {
    fn text(self) -> Option<&'a str> {
        match self {
            Self::Toml(value) => value.as_str(),
            Self::Cell(cell) => Some(cell),
        }
    }

    fn flag(self) -> Option<bool> {
        match self {
            Self::Toml(value) => value.as_bool(),
            Self::Cell(cell) => cell.parse().ok(),
        }
    }

    fn integer(self) -> Option<i64> {
        match self {
            Self::Toml(value) => value.as_integer().and_then(|i| i64::from_str_radix(i.as_str(), i.radix()).ok()),
            Self::Cell(cell) => cell.parse().ok(),
        }
    }

    fn toml(self) -> Option<&'a DeValue<'a>> {
        match self {
            Self::Toml(value) => Some(value),
            Self::Cell(_) => None,
        }
    }
}

impl<'a> Section<'a> {
    /// The table that is a whole file.
    pub(super) fn whole(report: &'a Report, file: FileNo, form: Form, table: &'a DeTable<'a>) -> Self {
        Self::table(report, file, form, file.byte(0), table)
    }

    /// A row that describes a unit.
    pub(super) fn row(report: &'a Report, file: FileNo, row: Row<'a>) -> Self {
        let place = file.cell(row.start, 0);
        Self { report, form: form::UNIT, file, place, fields: Fields::Row(row) }
    }

    fn table(report: &'a Report, file: FileNo, form: Form, place: Place, table: &'a DeTable<'a>) -> Self {
        for key in table.keys().filter(|key| !form.keys.contains(&key.get_ref().as_ref())) {
            let (name, hint) = (key.get_ref().as_ref(), form::nearest(key.get_ref(), form.keys));
            let message = match form::MAIN_FILE.keys.contains(&name) && form.name == form::INVENTORY_FILE.name {
                true => format!("`{name}` does not belong in {}: move it to the configuration file", form.name),
                false => format!(
                    "unknown key {} in {}{hint}: it knows {}",
                    check::shown(name),
                    form.name,
                    form.keys.join(", ")
                ),
            };
            report.fault(file.byte(key.span().start), message);
        }
        Self { report, form, file, place, fields: Fields::Table(table) }
    }

    /// The report that this section's faults go to.
    pub(super) fn report(&self) -> &'a Report {
        self.report
    }

    /// Whether `key` is given.
    pub(super) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// Where `key` stands; the section's own place if it is not given.
    pub(super) fn place(&self, key: &str) -> Place {
        self.value(key).map_or(self.place, |value| value.place)
    }

    /// Notes a fault at `key`, or at the section if it is not given.
    pub(super) fn fault(&self, key: &str, message: impl Into<String>) {
        self.report.fault(self.place(key), message);
    }

    /// The text at `key`, as `check` makes it. `None` if it is absent or faulty.
    pub(super) fn parse<T>(&self, key: &str, check: impl FnOnce(&'a str) -> Checked<T>) -> Option<T> {
        self.checked(key, self.value(key)?, check)
    }

    /// As [`Self::parse`], and it is a fault if the key is absent.
    pub(super) fn require<T>(&self, key: &str, check: impl FnOnce(&'a str) -> Checked<T>) -> Option<T> {
        match self.value(key) {
            Some(value) => self.checked(key, value, check),
            None => self.missing(key),
        }
    }

    fn checked<T>(&self, key: &str, value: Value<'a>, check: impl FnOnce(&'a str) -> Checked<T>) -> Option<T> {
        let Some(text) = value.raw.text() else { return self.wrong_type(key, value, "a string in quotes") };
        self.noted(key, value, check(text))
    }

    fn noted<T>(&self, key: &str, value: Value<'a>, checked: Checked<T>) -> Option<T> {
        checked.map_err(|message| self.report.fault(value.place, format!("`{}` {message}", self.full_name(key)))).ok()
    }

    /// The point in time at `key`, a TOML offset date-time or a text, in milliseconds of Unix time.
    pub(super) fn require_moment(&self, key: &str) -> Option<i64> {
        let Some(value) = self.value(key) else { return self.missing(key) };
        let date_time = value.raw.toml().and_then(DeValue::as_datetime).map(ToString::to_string);
        match date_time.as_deref().or(value.raw.text()) {
            Some(text) => self.noted(key, value, check::moment(text)),
            None => self.wrong_type(key, value, "a date and time with an offset"),
        }
    }

    /// The day at `key`, a TOML date or a text.
    pub(super) fn require_date(&self, key: &str) -> Option<Date> {
        let Some(value) = self.value(key) else { return self.missing(key) };
        let date = value.raw.toml().and_then(DeValue::as_datetime).map(ToString::to_string);
        match date.as_deref().or(value.raw.text()) {
            Some(text) => self.noted(key, value, check::day(text)),
            None => self.wrong_type(key, value, "a date"),
        }
    }

    /// The duration at `key`.
    pub(super) fn duration(&self, key: &str, default: Duration) -> Duration {
        self.parse(key, check::duration).unwrap_or(default)
    }

    /// The truth value at `key`.
    pub(super) fn flag(&self, key: &str, default: bool) -> bool {
        self.value(key)
            .and_then(|value| value.raw.flag().or_else(|| self.wrong_type(key, value, "true or false")))
            .unwrap_or(default)
    }

    /// The whole number at `key`.
    pub(super) fn integer<T: TryFrom<i64>>(&self, key: &str, range: RangeInclusive<i64>) -> Option<T> {
        self.whole_number(key, range, "").and_then(|number| number.try_into().ok())
    }

    /// The whole number at `key`, or `None` within if "off" stands there.
    #[expect(clippy::option_option, reason = "absent and switched off are two things")]
    pub(super) fn integer_or_off<T: TryFrom<i64>>(&self, key: &str, range: RangeInclusive<i64>) -> Option<Option<T>> {
        if self.value(key)?.raw.text() == Some(check::OFF) {
            return Some(None);
        }
        self.whole_number(key, range, " or \"off\"").and_then(|number| number.try_into().ok()).map(Some)
    }

    fn whole_number(&self, key: &str, range: RangeInclusive<i64>, or: &str) -> Option<i64> {
        let value = self.value(key)?;
        match value.raw.integer() {
            Some(number) if range.contains(&number) => Some(number),
            number => {
                let wanted = format!("a whole number from {} to {}{or}", range.start(), range.end());
                let Some(number) = number else { return self.wrong_type(key, value, &wanted) };
                let name = self.full_name(key);
                self.report.fault(value.place, format!("`{name}` is {number}: it must be {wanted}"));
                None
            }
        }
    }

    /// The texts of the list at `key`, as `check` makes them, with their places.
    pub(super) fn list<T>(&self, key: &str, check: impl Fn(&'a str) -> Checked<T>) -> Vec<(T, Place)> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(items) = value.raw.toml().and_then(DeValue::as_array) else {
            return self.wrong_type(key, value, "a list of strings, such as [\"…\", \"…\"]").unwrap_or_default();
        };
        let read = |item: &'a Spanned<DeValue<'a>>| {
            let place = self.file.byte(item.span().start);
            let text = item.get_ref().as_str().ok_or_else(|| "must hold strings in quotes only".to_owned());
            match text.and_then(&check) {
                Ok(checked) => return Some((checked, place)),
                Err(message) => self.report.fault(place, format!("`{key}` {message}")),
            }
            None
        };
        items.iter().filter_map(read).collect()
    }

    /// As [`Self::list`], and it is a fault if there is nothing in it or something twice.
    pub(super) fn require_list<T: PartialEq>(&self, key: &str, check: impl Fn(&'a str) -> Checked<T>) -> Vec<T> {
        let Some(value) = self.value(key) else { return self.missing(key).unwrap_or_default() };
        if value.raw.toml().and_then(DeValue::as_array).is_some_and(|items| items.is_empty()) {
            self.report.fault(value.place, format!("`{key}` is empty: {} needs at least one", self.form.name));
        }
        let mut items = Vec::new();
        for (item, place) in self.list(key, check) {
            if items.contains(&item) {
                self.report.fault(place, format!("`{key}` holds the same twice: remove one"));
            }
            items.push(item);
        }
        items
    }

    /// The table at `key`. An absent one is read as an empty one, at the place of this section.
    pub(super) fn section(&self, key: &str, form: Form) -> Self {
        self.optional_section(key, form).unwrap_or(Self { form, fields: Fields::Absent, ..*self })
    }

    /// The table at `key`, if it is given.
    pub(super) fn optional_section(&self, key: &str, form: Form) -> Option<Self> {
        if let Fields::Row(row) = self.fields {
            let part = Part::under(key)?;
            let nested = Self { form, fields: Fields::Row(Row { part, ..row }), ..*self };
            return form.keys.iter().any(|key| nested.has(key)).then_some(nested);
        }
        let value = self.value(key)?;
        match value.raw.toml().and_then(DeValue::as_table) {
            Some(table) => Some(Self::table(self.report, self.file, form, value.place, table)),
            None => self.wrong_type(key, value, "one table, with single brackets"),
        }
    }

    /// The tables of the list at `key`.
    pub(super) fn sections(&self, key: &str, form: Form) -> Vec<Self> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(items) = value.raw.toml().and_then(DeValue::as_array) else {
            return self.wrong_type(key, value, &format!("a list of tables: write {}", form.name)).unwrap_or_default();
        };
        let read = |item: &'a Spanned<DeValue<'a>>| {
            let place = self.file.byte(item.span().start);
            let table = item.get_ref().as_table();
            if table.is_none() {
                self.report.fault(place, format!("`{key}` must hold tables only: write {}", form.name));
            }
            table.map(|table| Self::table(self.report, self.file, form, place, table))
        };
        items.iter().filter_map(read).collect()
    }

    fn value(&self, key: &str) -> Option<Value<'a>> {
        debug_assert!(self.form.keys.contains(&key), "{key} is no key of {}", self.form.name);
        match self.fields {
            Fields::Absent => None,
            Fields::Table(table) => {
                let value = table.get(key)?;
                Some(Value { raw: Raw::Toml(value.get_ref()), place: self.file.byte(value.span().start) })
            }
            Fields::Row(row) => {
                let &(_, _, cell) = row.columns.iter().find(|(part, known, _)| *part == row.part && *known == key)?;
                let text = row.cells.get(cell)?.trim();
                let value = Value { raw: Raw::Cell(text), place: self.file.cell(row.start, cell) };
                (!text.is_empty()).then_some(value)
            }
        }
    }

    fn missing<T>(&self, key: &str) -> Option<T> {
        let name = self.full_name(key);
        self.report.fault(self.place, format!("`{name}` is missing: {} needs it", self.form.name));
        None
    }

    fn wrong_type<T>(&self, key: &str, value: Value<'a>, wanted: &str) -> Option<T> {
        let name = self.full_name(key);
        let message = match value.raw {
            Raw::Toml(toml) => format!("`{name}` is a TOML {}: it must be {wanted}", toml.type_str()),
            Raw::Cell(_) => format!("`{name}` must be {wanted}"),
        };
        self.report.fault(value.place, message);
        None
    }

    /// The key as its file writes it.
    fn full_name(&self, key: &str) -> String {
        match self.fields {
            Fields::Row(row) => format!("{}{key}", row.part.prefix()),
            Fields::Table(_) | Fields::Absent => key.to_owned(),
        }
    }
}
