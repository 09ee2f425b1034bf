# The reason for outage is owed from the moment at which the case is solved: 1 h here. It is not given before the window is
# over, which is after 2 h; so the promise is missed, and kept, late, by its delivery.
config p1=2h rfo=1h rfo_p1=required
unit a customer=acme
unit b customer=beta
at 0s          all silent
at 15m         all answer 12ms
at 20m         expect case a P1 Solved
at 1h19m59s    case b rfo
at 1h19m59s    expect level a none
at 1h20m       expect level a L1
at 1h21m       expect level b none
at 2h30m       expect case a P1 Closed
at 2h30m       expect case b P1 Closed
until 3h
