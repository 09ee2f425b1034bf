# Our own uplink loses less than what makes a lossy line, and nobody vouches for us. By chance some lines show more than
# that now and then: no case for anybody.
units a- 1..60 customer=acme
at 0s        all answer 12ms
at 1h        all lose 8%
at 6h        expect cases 0
until 6h
