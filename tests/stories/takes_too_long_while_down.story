# What fell due while nobody watched is told at the start, in its order; where there is no engineer, management hears it.
routing escalate_after=1h escalation_team=tac second_after=1h development_team=rnd
staff ann team=noc
unit a customer=acme
route all team=noc
at 1h          case a open P1
at 1h10m       monitor crash
at 5h          monitor start
at 5h          expect letters management 1
at 5h59m59s    expect letters management 1
at 6h          expect letters management 2
until 7h
