# A person who takes a case from the team that a rule had chosen to another one says that the rule was wrong; within the team,
# or by an escalation, nobody does.
staff ann team=noc
staff bob team=noc
staff tom team=tac
unit a customer=acme
route up level=L1 team=tac
route all team=noc
at 1h          case a open P1
at 1h          expect owner a ann
at 2h          case a assign bob
at 2h          expect queue a noc
at 2h          expect letters bob 1
at 3h          case a escalate
at 3h          expect owner a tom
at 4h          case a assign noc
at 4h          expect owner a ann             # who has least to do, then by id
at 4h          expect queue a noc
at 4h          expect letters ann 2
at 5h          case a assign nobody-we-know
at 5h          expect owner a nobody-we-know
at 5h          expect queue a noc
until 6h
