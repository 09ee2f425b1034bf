# A case that becomes a P1, and one that is escalated, goes where the rules say now; where they say the same, it stays.
config update_p1=1h
staff ann team=noc
staff tom team=tac tier=2
staff rob team=rnd tier=3
unit a customer=acme loss=off
unit b customer=acme
route third level=L2 team=rnd
route down priority=P1 team=tac
route rest team=noc
at 1h          case a open P2
at 1h          expect owner a ann
at 2h          a silent
at 2h10m5s     expect case a P1 New
at 2h10m5s     expect owner a tom
at 2h10m5s     expect letters tom 1
at 3h10m5s     expect level a L1
at 3h10m5s     expect owner a tom
at 3h10m5s     expect letters tom 1           # the same rule: he has it already
at 4h10m5s     expect level a L2
at 4h10m5s     expect owner a rob
at 4h10m5s     expect queue a rnd
at 4h10m5s     expect letters rob 1
# Whoever takes it to another team says that the rule was wrong; nobody takes it back from him before another rule fires.
at 5h          case a assign noc
at 5h          expect owner a ann
at 6h          case a escalate
at 6h          expect owner a ann
until 7h
