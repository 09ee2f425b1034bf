# A rise that nobody feels, and one that lasts for half a minute, open nothing.
unit a customer=acme
unit b customer=acme
at 0s        all answer 2ms
at 3h        a answer 12ms jitter 10ms
at 3h        b answer 400ms
at 3h30s     b answer 2ms
at 6h        expect cases 0
until 6h
