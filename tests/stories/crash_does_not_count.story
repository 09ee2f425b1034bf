# The same after a crash; what was seen since the last word on the disk (at most 5 s) is not counted either.
unit a customer=acme
at 0s        all answer 12ms
at 1h        a silent
at 1h4m      monitor crash
at 5h        monitor start
at 5h5m59s   expect no case a
at 5h6m6s    expect case a P1 New
until 6h
