# "We will give you an update in 30 minutes": unkept, it escalates at that tick; one second before, it is kept (R36).
config first_response=off
unit a customer=acme
unit b customer=beta
at 1h          a silent
at 1h          b silent
at 2h          case a promise update 30m
at 2h          case b promise update 30m
at 2h29m59s    expect level a none
at 2h29m59s    case b update public Still at it.
at 2h30m1s     expect level a L1
at 2h30m1s     expect level b none
# Nothing else was promised.
at 6h          expect level a L1
at 6h          expect level b none
until 6h
