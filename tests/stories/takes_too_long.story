# Too long at work: the escalation engineer and the manager hear of it; again too long: the development engineer and both
# managers (R57). Each once, in that order, to the second, whatever restarts.
routing escalate_after=4h escalation_team=tac second_after=2h development_team=rnd
staff ann team=noc manager=max
staff tom team=tac manager=mia
staff rob team=rnd manager=rex
staff max
staff mia
staff rex
unit a customer=acme
unit b customer=acme
route all team=noc
at 1h          case a open P1
at 1h          case b open P1
at 2h          case b solve
at 4h59m59s    expect letters tom 0
at 5h          expect letters tom 1
at 5h          expect letters max 1
at 5h          expect letters rob 0
at 5h          expect letters mia 0
at 6h30m       monitor crash
at 6h40m       monitor start
at 6h59m59s    expect letters rob 0
at 7h          expect letters rob 1
at 7h          expect letters max 2
at 7h          expect letters rex 1
at 7h          expect letters tom 1
at 7h          expect level a none            # only a missed promise raises the level
at 7h          expect letters management 0
at 30h         expect letters rob 2          # of either case once
# Back at work, its time runs anew.
at 12h         case b return
at 15h59m59s   expect letters tom 1
at 16h         expect letters tom 2
until 31h
