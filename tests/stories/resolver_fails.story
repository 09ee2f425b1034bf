# SERVFAIL: a name that was known keeps its address; one that never was is UNOBSERVED, and no line at fault.
unit a customer=acme host=ntu.example
at 0s        resolver fails
at 1s        all answer 12ms
at 1h        expect verdict a UNOBSERVED
at 1h        resolver works
at 1h1m      expect verdict a UP
at 2h        resolver fails
at 3h        expect verdict a UP
at 3h        a silent
at 3h10m11s  expect case a P1 New
until 4h
