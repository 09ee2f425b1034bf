# Suspended with a loss under way: 5 min before, 5 min after.
unit a customer=acme
at 0s        all answer 12ms
at 1h        a silent
at 1h5m      monitor suspend
at 2h        monitor resume
at 2h4m50s   expect no case a
at 2h5m15s   expect case a P1 New
until 3h
