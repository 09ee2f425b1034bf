//! Customers, nodes and units, from TOML tables and CSV rows.

use super::check;
use super::fault::{FileNo, Place, Report};
use super::form::{self, Form};
use super::paths::Paths;
use super::section::{Columns, Row, Section};
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
    pub(super) units: Devices,
    pub(super) nodes: Devices,
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
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Device, Places)> {
        self.devices.iter().map(Arc::as_ref).zip(self.places.iter().copied())
    }
}

impl<'a> Inventory<'a> {
    /// An empty one.
    pub(super) fn new(paths: &'a Paths<'a>, pace: Pace) -> Self {
        let (units, nodes) = (Devices::default(), Devices::default());
        Self { paths, pace, accesses: HashSet::new(), customers: Vec::new(), units, nodes }
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
        let (columns, width) = (columns(&cells, report, file), cells.len());
        while matches!(reader.read_record(&mut cells), Ok(true)) {
            let start = cells.position().map_or(0, csv::Position::byte);
            if cells.len() == width {
                let row = Section::row(report, file, Row { cells: &cells, columns: &columns, start, nested: false });
                let unit = self.entry(&row, Role::Unit(circuit(&row)));
                self.units.push(unit);
            } else {
                let has = cells.len();
                let message = format!("row of {has} fields under a header of {width}: mind commas and open quotes");
                report.fault(file.cell(start, 0), message);
            }
        }
    }

    fn entry(&mut self, section: &Section<'_>, role: Role) -> (Device, Places) {
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
        let places =
            Places { id: section.place("id"), upstream: section.place("upstream"), customer: section.place(customer) };
        (device, places)
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

/// Service or region of a unit that does not say: reports show what is missing rather than leave it out.
const UNSPECIFIED: &str = "unspecified";

fn circuit(section: &Section<'_>) -> Circuit {
    let order = section.require("order", check::text);
    if !section.has("ttr") {
        let of = order.as_ref().map_or_else(|| "a unit".to_owned(), |order| format!("order {order}"));
        section.fault("ttr", format!("ttr of {of} is missing: the service order form states it"));
    }
    Circuit {
        customer: section.require("customer", check::id).unwrap_or_default(),
        order: order.unwrap_or_default(),
        service: section.parse("service", check::text).unwrap_or_else(|| UNSPECIFIED.to_owned()),
        region: section.parse("region", check::text).unwrap_or_else(|| UNSPECIFIED.to_owned()),
        ttr: section.duration("ttr", Duration::ZERO),
        supplier: section.parse("supplier", check::text),
    }
}

/// What the header's columns hold.
fn columns(header: &StringRecord, report: &Report, file: FileNo) -> Columns {
    let start = header.position().map_or(0, csv::Position::byte);
    let mut columns = Columns::default();
    for (cell, name) in header.iter().map(str::trim).enumerate() {
        let place = file.cell(start, cell);
        let (of_unit, of_snmp) =
            (known(&form::UNIT, name), name.strip_prefix("snmp_").and_then(|n| known(&form::SNMP, n)));
        let (keys, key) = match (of_unit, of_snmp) {
            (Some(key), _) if key != "snmp" => (&mut columns.unit, key),
            (_, Some(key)) => (&mut columns.snmp, key),
            (_, None) => {
                let names = column_names();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let (shown, hint, all) = (check::shown(name), form::nearest(name, &names), names.join(", "));
                report.fault(place, format!("unknown column {shown}{hint}: the columns are {all}"));
                continue;
            }
        };
        if keys.iter().any(|&(other, _)| other == key) {
            report.fault(place, format!("column {} is there twice: remove one", check::shown(name)));
        }
        keys.push((key, cell));
    }
    columns
}

fn known(form: &Form, name: &str) -> Option<&'static str> {
    form.keys.iter().find(|key| **key == name).copied()
}

/// Every column a CSV file may have.
fn column_names() -> Vec<String> {
    let of_unit = form::UNIT.keys.iter().filter(|key| **key != "snmp").map(|key| (*key).to_owned());
    of_unit.chain(form::SNMP.keys.iter().map(|key| format!("snmp_{key}"))).collect()
}
