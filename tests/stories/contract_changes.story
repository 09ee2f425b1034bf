# What was agreed changes while the case is open: its deadlines are reckoned anew from the time that has passed (R22).
config first_response=off repair=on update_p1=4h gold.update_p1=1h
unit a customer=acme ttr=8h
unit b customer=beta ttr=8h
contract c customer=beta until=30d tier=bronze
at 0s          all silent
at 10m5s       expect case a P1 New
at 2h          order a ttr=3h
# Opened at 10 min: 3 h of it are over at 3 h 10 min.
at 3h9m59s     expect level a none
at 3h10m5s     expect level a L1
# A better contract: news within an hour from now on, and not 4 h after the opening.
at 3h          contract c tier=gold
at 3h59m59s    expect level b none
at 4h1s        expect level b L1
# More time to repair than has passed: what was missed is not missed any more, and may be once more.
at 3h30m       order a ttr=6h
at 6h9m59s     expect level a L2              # no news for 4 h, at 4 h 10 min
at 6h10m5s     expect level a L3
until 6h30m
