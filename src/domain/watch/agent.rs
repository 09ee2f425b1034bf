//! What the SNMP agent of a device that answers does: the operator's own housekeeping, never a customer's case.

/// What a device's SNMP agent does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AgentState {
    /// It was not asked, or there is nothing to tell yet.
    #[default]
    Unknown,
    /// It answers.
    Answers,
    /// It refuses our credentials.
    Rejects,
    /// It says nothing, though the device answers ICMP.
    Silent,
}

impl AgentState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Answers, Self::Rejects, Self::Silent];

    /// As it is stored, printed and labelled.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Answers => "answers",
            Self::Rejects => "rejects",
            Self::Silent => "silent",
        }
    }

    /// Whether somebody should look after it.
    #[must_use]
    pub const fn needs_care(self) -> bool {
        match self {
            Self::Unknown | Self::Answers => false,
            Self::Rejects | Self::Silent => true,
        }
    }
}

/// Asks in a row that must say the same before the state changes: one lost datagram is no silent agent.
const CONFIRM: u8 = 3;

/// What an agent does, as far as it is certain.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Agent {
    state: AgentState,
    /// What it seems to do otherwise, and how often in a row.
    doubt: (AgentState, u8),
}

impl Agent {
    pub(super) const fn restored(state: AgentState) -> Self {
        Self { state, doubt: (state, 0) }
    }

    pub(super) const fn state(self) -> AgentState {
        self.state
    }

    /// The agent of a device that answers was asked, and did this. The new state, if it is certain now.
    pub(super) fn did(&mut self, what: AgentState) -> Option<AgentState> {
        if what == self.state {
            self.doubt = (what, 0);
            return None;
        }
        let seen = if self.doubt.0 == what { self.doubt.1.saturating_add(1) } else { 1 };
        self.doubt = (what, seen);
        // That it answers needs no confirmation.
        if seen < CONFIRM && what != AgentState::Answers {
            return None;
        }
        self.state = what;
        Some(what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_and_refusal_are_confirmed_and_an_answer_is_believed() {
        let mut agent = Agent::default();
        let mut did = |what| agent.did(what);
        assert_eq!(did(AgentState::Answers), Some(AgentState::Answers));
        assert_eq!([did(AgentState::Silent), did(AgentState::Silent), did(AgentState::Answers)], [None; 3]);
        assert_eq!([did(AgentState::Silent), did(AgentState::Rejects), did(AgentState::Silent)], [None; 3]);
        assert_eq!((did(AgentState::Silent), did(AgentState::Silent)), (None, Some(AgentState::Silent)));
        assert_eq!(did(AgentState::Silent), None, "said once");
        assert_eq!(did(AgentState::Answers), Some(AgentState::Answers));
    }
}
