//! Customers, nodes and units, from TOML tables and CSV rows.

use super::check;
use super::fault::{FileNo, Place, Report};
use super::form;
use super::paths::Paths;
use super::section::{Column, Row, Section};
use super::settings;
use super::snmp;
use crate::domain::party::Customer;
use crate::domain::watch::{Circuit, Device, Pace, Role, SnmpAccess};
use core::time::Duration;
use csv::{ReaderBuilder, StringRecord};
use std::collections::HashSet;
use std::sync::Arc;

/// What was read so far. References between its parts are not yet checked.
pub(super) struct Inventory<'a> {
    paths: &'a Paths<'a>,
    /// Detection settings of whoever has none of their own.
    pace: Pace,
    /// One copy for all devices that are asked alike.
    accesses: HashSet<Arc<SnmpAccess>>,
    pub(super) customers: Vec<(Customer, Place)>,
    pub(super) units: Vec<Entry>,
    pub(super) nodes: Vec<Entry>,
}

/// A device, and where its links to others stand.
pub(super) struct Entry {
    pub(super) device: Device,
    pub(super) id: Place,
    pub(super) upstream: Place,
    pub(super) customer: Place,
}

impl<'a> Inventory<'a> {
    /// An empty one.
    pub(super) fn new(paths: &'a Paths<'a>, pace: Pace) -> Self {
        let (customers, units, nodes) = (Vec::new(), Vec::new(), Vec::new());
        Self { paths, pace, accesses: HashSet::new(), customers, units, nodes }
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
            let unit = self.entry(&section, Role::Unit(circuit(&section)));
            self.units.push(unit);
        }
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
        let columns = columns(&cells, report, file);
        while matches!(reader.read_record(&mut cells), Ok(true)) {
            let start = cells.position().map_or(0, csv::Position::byte);
            if cells.len() == columns.len() {
                let row = Section::row(report, file, Row { cells: &cells, columns: &columns, start, nested: false });
                let unit = self.entry(&row, Role::Unit(circuit(&row)));
                self.units.push(unit);
            } else {
                let (has, wanted) = (cells.len(), columns.len());
                let message = format!("row of {has} fields under a header of {wanted}: mind commas and open quotes");
                report.fault(file.cell(start, 0), message);
            }
        }
    }

    fn entry(&mut self, section: &Section<'_>, role: Role) -> Entry {
        let snmp = snmp::read(section, self.paths).map(|access| self.share(access));
        let icmp = section.flag("icmp", true);
        if !icmp && !section.has("snmp") && section.optional_section("snmp", form::SNMP).is_none() {
            section.fault("icmp", "`icmp` is false and there is no `snmp`: nothing would ask this device");
        }
        let device = Device {
            id: section.require("id", check::id).unwrap_or_default(),
            role,
            host: section.require("address", check::host).unwrap_or_default(),
            upstream: section.parse("upstream", check::id),
            icmp,
            snmp,
            pace: settings::pace(section, self.pace),
        };
        let customer = if matches!(device.role, Role::Unit(_)) { "customer" } else { "id" };
        let (id, upstream, customer) = (section.place("id"), section.place("upstream"), section.place(customer));
        Entry { device, id, upstream, customer }
    }

    fn share(&mut self, access: SnmpAccess) -> Arc<SnmpAccess> {
        if let Some(known) = self.accesses.get(&access) {
            return Arc::clone(known);
        }
        let access = Arc::new(access);
        self.accesses.insert(Arc::clone(&access));
        access
    }
}

fn customer(section: &Section<'_>) -> Customer {
    Customer {
        id: section.require("id", check::id).unwrap_or_default(),
        name: section.require("name", check::text).unwrap_or_default(),
        email: section.require_list("email", check::email),
    }
}

fn circuit(section: &Section<'_>) -> Circuit {
    let order = section.require("order", check::text);
    if !section.has("ttr") {
        let of = order.as_ref().map_or_else(|| "a unit".to_owned(), |order| format!("order {order}"));
        section.fault("ttr", format!("ttr of {of} is missing: the service order form states it (R22)"));
    }
    Circuit {
        customer: section.require("customer", check::id).unwrap_or_default(),
        order: order.unwrap_or_default(),
        service: section.require("service", check::text).unwrap_or_default(),
        region: section.require("region", check::text).unwrap_or_default(),
        ttr: section.duration("ttr", Duration::ZERO),
        supplier: section.parse("supplier", check::text),
    }
}

/// What the header's columns hold; `None` for one that is not known.
fn columns(header: &StringRecord, report: &Report, file: FileNo) -> Vec<Option<Column>> {
    let start = header.position().map_or(0, csv::Position::byte);
    let mut columns: Vec<Option<Column>> = Vec::with_capacity(header.len());
    for (i, name) in header.iter().enumerate() {
        let column = known_columns().find(|(known, _)| known == name.trim()).map(|(_, column)| column);
        if column.is_none() {
            let known: Vec<String> = known_columns().map(|(name, _)| name).collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let (shown, hint) = (check::shown(name), form::nearest(name, &known));
            report.fault(
                file.cell(start, i),
                format!("unknown column {shown}{hint}: the columns are {}", known.join(", ")),
            );
        } else if columns.contains(&column) {
            report.fault(file.cell(start, i), format!("column {} is there twice: remove one", check::shown(name)));
        }
        columns.push(column);
    }
    columns
}

/// Every column a CSV file may have, by name.
fn known_columns() -> impl Iterator<Item = (String, Column)> {
    let of_unit = form::UNIT.keys.iter().filter(|key| **key != "snmp");
    let of_unit = of_unit.map(|&key| (key.to_owned(), Column { key, nested: false }));
    of_unit.chain(form::SNMP.keys.iter().map(|&key| (format!("snmp_{key}"), Column { key, nested: true })))
}
