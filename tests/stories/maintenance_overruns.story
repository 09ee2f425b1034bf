# Still down at the end of the maintenance: the case opens at once, with the true first loss.
unit a customer=acme
unit b customer=acme
unit c customer=acme
maintenance a 2h..4h
maintenance b 2h..4h
at 0s        all answer 12ms
at 2h10m     a silent
at 3h55m     b silent
at 2h30m     c silent
at 2h40m11s  expect case c P1 New
at 3h59m59s  expect no case a
at 4h        expect case a P1 New
at 4h        expect no case b
at 4h4m59s   expect no case b
at 4h5m11s   expect case b P1 New
until 5h
