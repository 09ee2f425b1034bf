# Flapping across the end of the ten minutes: each contact resets the sum. The P2 for flapping is the same case that a
# sustained loss raises to P1, which stays P1 for its window (24 h).
unit a customer=acme
at 0s        all answer 12ms
at 1h        a silent
at 1h9m50s   a answer 12ms
at 1h10m20s  a silent
at 1h20m     a answer 12ms
at 1h20m30s  a silent
at 1h21m     expect case a P2 New
at 1h32m     expect case a P1 New
at 2h        a answer 12ms
at 2h20m     expect case a P1 New
at 2h40m     expect case a P1 Solved
at 26h30m    expect case a P1 Solved
at 26h40m    expect case a P1 Closed
at 26h40m    expect cases 1
until 27h
