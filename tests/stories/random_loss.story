# A healthy fleet with a little random loss opens nothing.
units a- 1..50 customer=acme
at 0s        all lose 1%
at 24h       expect cases 0
until 24h
