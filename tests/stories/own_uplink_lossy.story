# Our own uplink loses a third of everything, sentinels included: nobody's line is degraded by that, and we are told.
units a- 1..50 customer=acme
sentinel gateway
sentinel core
at 0s        all answer 12ms
at 1h        all lose 33%
at 1h12m     a-* answer 12ms
at 1h12m     sentinels answer 12ms
at 1h40m     expect cases 0
at 2h        expect no alarm impaired
until 2h
