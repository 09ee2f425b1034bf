# The canary is taken for lost once a day; its case and its letter come, and so no alarm does.
unit canary customer=noc-test
unit a customer=acme
canary canary every 24h
at 0s        all answer 12ms
at 24h11m30s expect case canary P1 New
at 24h30m    expect case canary P1 Solved
at 24h30m    expect no alarm canary
at 47h       mail refuse
at 48h40m    expect alarm canary
at 49h       mail accept
at 72h30m    expect no alarm canary
at 72h30m    expect no case a
until 73h
