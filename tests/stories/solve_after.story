# The watch declares a case solved when the line has been back for 5 min; a new loss starts that anew.
unit a customer=acme
at 0s        all answer 12ms
at 1h        a silent
at 2h        a answer 12ms
at 2h4m      a silent
at 2h4m30s   a answer 12ms
at 2h9m29s   expect case a P1 New
at 2h9m30s   expect case a P1 Solved
# A restart in between is time that nobody saw: it does not count towards the 5 min.
unit b customer=acme
at 3h        b silent
at 4h        b answer 12ms
at 4h3m      monitor stop
at 4h30m     monitor start
at 4h31m     expect case b P1 New
at 4h32m20s  expect case b P1 Solved
until 5h
