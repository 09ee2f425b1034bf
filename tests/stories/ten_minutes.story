# R2: 9 min 59 s of loss opens nothing, 10 min exactly one P1. First loss is the first lost probe.
unit short customer=acme
at 0s        all answer 12ms
at 1h        short silent
at 1h9m59s   short answer 12ms
at 1h10m     expect no case short
at 1h10m     expect verdict short UP
# The next loss starts from nothing: any contact resets the sum.
at 2h        short silent
at 2h9m59s   expect no case short
at 2h10m     expect case short P1 New
at 3h        expect cases 1
until 3h
