//! Customers, nodes, units and planned maintenance, from TOML tables and CSV rows.

use super::check;
use super::degraded;
use super::fault::{FileNo, Place, Report};
use super::form;
use super::parties::{Book, language, list};
use super::paths::Paths;
use super::section::{Columns, Part, Row, Section};
use super::settings::{self, Common};
use super::snmp;
use super::works::{self, Work};
use crate::domain::desk::Matrix;
use crate::domain::party::Customer;
use crate::domain::watch::{Circuit, Device, PROBE_RATES, Role, Rules, SnmpAccess, Terms};
use core::hash::Hash;
use core::ops::RangeInclusive;
use core::time::Duration;
use csv::{ReaderBuilder, StringRecord};
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// What `probe_rate` may be.
const RATES: RangeInclusive<i64> = *PROBE_RATES.start() as i64..=*PROBE_RATES.end() as i64;

/// What was read so far. References between its parts are not yet checked.
pub(super) struct Inventory<'a> {
    paths: &'a Paths<'a>,
    /// What holds for whoever does not say otherwise.
    common: Common,
    /// One copy for all devices that are asked by SNMP alike.
    accesses: HashSet<Arc<SnmpAccess>>,
    /// One copy for all devices that are asked and judged alike.
    rules: HashSet<Arc<Rules>>,
    /// One copy for all units of which it holds.
    terms: HashSet<Arc<Terms>>,
    /// One copy of the id of each customer and upstream that is named.
    ids: HashSet<Arc<String>>,
    pub(super) customers: Vec<(Customer, Place)>,
    pub(super) units: Devices,
    pub(super) nodes: Devices,
    pub(super) works: Vec<Work>,
    pub(super) book: Book,
}

/// Devices and, apart from them, what is needed only until they are checked.
#[derive(Default)]
pub(super) struct Devices {
    pub(super) devices: Vec<Arc<Device>>,
    places: Vec<Places>,
}

/// Where a device's id and its links to others stand.
#[derive(Clone, Copy)]
pub(super) struct Places {
    pub(super) id: Place,
    pub(super) upstream: Place,
    pub(super) customer: Place,
}

impl Devices {
    fn push(&mut self, (device, places): (Device, Places)) {
        self.devices.push(Arc::new(device));
        self.places.push(places);
    }

    /// Each device with its places.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Device, Places)> + Clone {
        self.devices.iter().map(Arc::as_ref).zip(self.places.iter().copied())
    }
}

impl<'a> Inventory<'a> {
    /// An empty one.
    pub(super) fn new(paths: &'a Paths<'a>, common: Common) -> Self {
        Self {
            paths,
            common,
            accesses: HashSet::new(),
            rules: HashSet::new(),
            terms: HashSet::new(),
            ids: HashSet::new(),
            customers: Vec::new(),
            units: Devices::default(),
            nodes: Devices::default(),
            works: Vec::new(),
            book: Book::default(),
        }
    }

    /// Reads the tables of a TOML file.
    pub(super) fn read_tables(&mut self, root: &Section<'_>) {
        for section in root.sections("customer", form::CUSTOMER) {
            self.customers.push((customer(&section), section.place("id")));
        }
        for section in root.sections("node", form::NODE) {
            let node = self.entry(&section, Role::Node);
            self.nodes.push(node);
        }
        for section in root.sections("unit", form::UNIT) {
            let circuit = self.circuit(&section);
            let unit = self.entry(&section, Role::Unit(circuit));
            self.units.push(unit);
        }
        self.works.extend(root.sections("maintenance", form::MAINTENANCE).iter().map(works::read));
        self.book.read_tables(root);
    }

    /// Reads the rows of a CSV file; each describes a unit.
    pub(super) fn read_rows(&mut self, report: &Report, file: FileNo) {
        let text = report.text(file);
        let mut reader =
            ReaderBuilder::new().has_headers(false).flexible(true).comment(Some(b'#')).from_reader(text.as_bytes());
        let mut cells = StringRecord::new();
        if !matches!(reader.read_record(&mut cells), Ok(true)) {
            return report
                .fault(file.byte(0), "no header row: name the columns in the first line, such as id,customer,address");
        }
        let (columns, width) = (columns(&cells, report, file), cells.len());
        while matches!(reader.read_record(&mut cells), Ok(true)) {
            let start = cells.position().map_or(0, csv::Position::byte);
            if cells.len() == width {
                let row = Section::row(report, file, Row { cells: &cells, columns: &columns, start, part: Part::Unit });
                let circuit = self.circuit(&row);
                let unit = self.entry(&row, Role::Unit(circuit));
                self.units.push(unit);
            } else {
                let has = cells.len();
                let message = format!("row of {has} fields under a header of {width}: mind commas and open quotes");
                report.fault(file.cell(start, 0), message);
            }
        }
    }

    /// Addresses of our own, in lower case.
    pub(super) fn ours(&self, noc: &[String], escalation: &Matrix, management: &[String]) -> BTreeSet<String> {
        let matrices = self.customers.iter().map(|(customer, _)| &customer.escalation).chain([escalation]);
        let above = matrices.flat_map(|matrix| matrix.0.iter().flatten());
        let all = noc.iter().chain(above).chain(management).chain(self.book.addresses());
        all.map(|address| address.to_ascii_lowercase()).collect()
    }

    fn entry(&mut self, section: &Section<'_>, role: Role) -> (Device, Places) {
        let snmp = snmp::read(section, self.paths).map(|access| share(&mut self.accesses, access));
        let icmp = section.flag("icmp", true);
        if !icmp && !section.has("snmp") && section.optional_section("snmp", form::SNMP).is_none() {
            section.fault("icmp", "`icmp` is false and there is no `snmp`: nothing would ask this device");
        }
        let faults = section.report().count();
        let pace = settings::pace(section, self.common.pace);
        let table = section.optional_section("degraded", form::DEGRADED);
        let limits = match &table {
            Some(table) => degraded::limits(table, &self.common.limits),
            None => self.common.limits,
        };
        if section.report().count() == faults {
            degraded::relate(section, table.as_ref(), pace, &limits);
        }
        let probe_rate = section.integer("probe_rate", RATES);
        let device = Device {
            id: section.require("id", check::id).unwrap_or_default().into(),
            role,
            host: section.require("address", check::host).unwrap_or_default().as_str().into(),
            upstream: section.parse("upstream", check::id).map(|id| share(&mut self.ids, id)),
            rules: share(&mut self.rules, Rules { icmp, snmp, pace: settings::bounded(pace), limits, probe_rate }),
        };
        let customer = if matches!(device.role, Role::Unit(_)) { "customer" } else { "id" };
        let places =
            Places { id: section.place("id"), upstream: section.place("upstream"), customer: section.place(customer) };
        (device, places)
    }

    fn circuit(&mut self, section: &Section<'_>) -> Circuit {
        let order = section.require("order", check::text);
        if !section.has("ttr") {
            let of = order.as_ref().map_or_else(|| "a unit".to_owned(), |order| format!("order {order}"));
            section.fault("ttr", format!("ttr of {of} is missing: the service order form states it"));
        }
        let customer = section.require("customer", check::id).unwrap_or_default();
        self.book.site(section, &customer);
        let terms = Terms {
            service: section.parse("service", check::text).unwrap_or_else(|| UNSPECIFIED.to_owned()),
            region: section.parse("region", check::text).unwrap_or_else(|| UNSPECIFIED.to_owned()),
            ttr: section.duration("ttr", Duration::ZERO),
            supplier: section.parse("supplier", check::text),
            pop: section.parse("pop", check::text),
            access: section.parse("access", check::text),
            rate: section.parse("rate", check::rate),
        };
        Circuit {
            customer: share(&mut self.ids, customer),
            order: order.unwrap_or_default().into(),
            terms: share(&mut self.terms, terms),
        }
    }
}

/// The one copy of `value` among those that are `known`.
fn share<T: Eq + Hash>(known: &mut HashSet<Arc<T>>, value: T) -> Arc<T> {
    if let Some(known) = known.get(&value) {
        return Arc::clone(known);
    }
    let value = Arc::new(value);
    known.insert(Arc::clone(&value));
    value
}

fn customer(section: &Section<'_>) -> Customer {
    Customer {
        id: section.require("id", check::id).unwrap_or_default(),
        name: section.require("name", check::text).unwrap_or_default(),
        email: section.require_list("email", check::email),
        languages: list(section, "languages", language),
        escalation: settings::escalation(section),
        survey: section.parse("survey", check::asked).unwrap_or_default(),
        address: section.parse("address", check::text),
        phone: section.parse("phone", check::text),
    }
}

/// Service or region of a unit that does not say: reports show what is missing rather than leave it out.
const UNSPECIFIED: &str = "unspecified";

/// What the header's columns hold.
fn columns(header: &StringRecord, report: &Report, file: FileNo) -> Columns {
    let start = header.position().map_or(0, csv::Position::byte);
    let mut columns = Columns::default();
    for (cell, name) in header.iter().map(str::trim).enumerate() {
        let place = file.cell(start, cell);
        let Some((part, key)) = Part::of_column(name) else {
            let names = Part::columns();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let (shown, hint, all) = (check::shown(name), form::nearest(name, &names), names.join(", "));
            report.fault(place, format!("unknown column {shown}{hint}: the columns are {all}"));
            continue;
        };
        if columns.iter().any(|&(other, known, _)| (other, known) == (part, key)) {
            report.fault(place, format!("column {} is there twice: remove one", check::shown(name)));
        }
        columns.push((part, key, cell));
    }
    columns
}
