# Round trips: against the unit's own baseline, and against a limit for all. A line that was always slow is only slow.
unit a customer=acme
unit satellite customer=acme
unit b customer=beta
at 0s        all answer 12ms
at 0s        satellite answer 620ms
at 3h        a answer 12ms jitter 60ms
at 3h        b answer 900ms
at 3h30m     expect case a P2 New
at 3h30m     expect case b P2 New
at 3h30m     expect no case satellite
at 4h        all answer 12ms
at 4h        satellite answer 620ms
at 5h        expect case a P2 Solved
until 6h
