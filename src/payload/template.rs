//! Bodies of the operator's own: JSON with places for what a notice has. What goes into them is written as JSON, quotes and
//! all, whatever it holds.

use super::Notice;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, value::Serde};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// What the one template of an environment is called.
const NAME: &str = "body";

/// A body with places to fill in, which was tried out.
#[derive(Clone)]
pub struct Template {
    source: Arc<str>,
    environment: Arc<Environment<'static>>,
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// In which line of it, from 1.
    pub line: usize,
    /// What.
    pub what: String,
}

impl Template {
    /// Reads a template and tries it out.
    ///
    /// # Errors
    /// Says which line is no template, names what no notice has, or does not make JSON.
    pub fn new(source: &str) -> Result<Self, Flaw> {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::Json);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.add_template_owned(NAME, source.to_owned()).map_err(flaw)?;
        let template = Self { source: source.into(), environment: Arc::new(environment) };
        template.check_names()?;
        for sample in Notice::samples() {
            let body = template.try_fill(&sample).map_err(flaw)?;
            serde_json::from_str::<serde_json::Value>(&body).map_err(|error| Flaw {
                line: error.line(),
                what: format!(
                    "makes no JSON ({error}): a place such as {{{{ text }}}} brings its own quotes, so write none around it"
                ),
            })?;
        }
        Ok(template)
    }

    fn check_names(&self) -> Result<(), Flaw> {
        let sample = serde_json::json!(Notice::default());
        let known: BTreeSet<&str> = sample.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        let named = self.environment.get_template(NAME).map_err(flaw)?.undeclared_variables(false);
        // Also in a branch that no sample takes.
        let functions: BTreeSet<&str> = self.environment.globals().map(|(name, _)| name).collect();
        let unknown = named.iter().filter(|name| !known.contains(&name.as_str()) && !functions.contains(name.as_str()));
        match unknown.min() {
            None => Ok(()),
            Some(name) => Err(Flaw {
                line: self.source.lines().position(|line| line.contains(name.as_str())).map_or(1, |at| at + 1),
                what: format!(
                    "names {name:?}, which no notice has: use {}",
                    known.into_iter().collect::<Vec<_>>().join(", ")
                ),
            }),
        }
    }

    fn try_fill(&self, notice: &Notice) -> Result<String, minijinja::Error> {
        self.environment.get_template(NAME)?.render(Value::from(Serde(notice)))
    }

    /// The body for a notice.
    ///
    /// # Errors
    /// If the template can't do with it.
    pub fn fill(&self, notice: &Notice) -> Result<String, String> {
        self.try_fill(notice).map_err(|error| format!("the template fails: {error}"))
    }
}

fn flaw(error: minijinja::Error) -> Flaw {
    let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    Flaw { line: error.line().unwrap_or(1), what: format!("{}{detail}", error.kind()) }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Template").field(&self.source).finish()
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Template {}
