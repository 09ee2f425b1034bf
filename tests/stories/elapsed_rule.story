# A rule may speak of the time since the opening: the case goes on by it to the second, once, also over a restart.
staff ann team=noc
staff tom team=tac
unit a customer=acme
route long after=2h team=tac
route all team=noc
at 1h          case a open P1
at 1h          expect owner a ann
at 2h59m59s    expect owner a ann
at 3h          expect owner a tom
at 4h          case a assign ann
at 4h30m       monitor crash
at 4h31m       monitor start
at 5h          expect owner a ann             # asked by a person, and the rule's time was before
at 5h          expect letters tom 1
until 6h
