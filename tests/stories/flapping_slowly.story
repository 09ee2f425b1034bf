# Two losses in every hour, for as long as it likes: below the limit.
unit a customer=acme
at 0s        all answer 12ms
at 1h        a silent
at 1h2m      a answer 12ms
at 1h31m     a silent
at 1h33m     a answer 12ms
at 2h1m      a silent
at 2h3m      a answer 12ms
at 2h32m     a silent
at 2h34m     a answer 12ms
at 4h        expect cases 0
until 4h
