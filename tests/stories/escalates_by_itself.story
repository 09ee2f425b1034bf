# Silence is escalated again and again, up to the last level, and the customer is told each time.
config first_response=30m update_p1=1h repair=on
unit a customer=acme ttr=4h
at 1h          a silent
at 1h10m5s     expect letters acme 1
at 1h39m59s    expect level a none
at 1h40m5s     expect level a L1
at 1h40m5s     expect letters acme 2
at 2h39m59s    expect level a L1
at 2h40m5s     expect level a L2
at 3h40m5s     expect level a L3
at 4h40m5s     expect level a L3
at 4h40m5s     expect letters acme 5
# The repair was due four hours after the opening; from then on it is the fifth time. Solved, it owes nothing.
at 5h10m5s     expect letters acme 6
at 5h20m       a answer 12ms
at 5h30m       expect case a P1 Solved
at 5h30m       expect letters acme 7
at 20h         expect letters acme 7
until 24h
