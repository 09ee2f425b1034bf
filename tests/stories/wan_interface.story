# The WAN interface: down while the box answers, erroring, or used up to its committed rate.
units u- 1..4 customer=acme
at 0s        all answer 12ms
at 1h        u-1 interface down
at 1h        u-2 interface errors 2%
at 1h        u-3 interface load 95%
at 1h        u-4 interface load 60%
at 1h9m      expect cases 0
at 1h25m     expect case u-1 P2 New
at 1h25m     expect case u-2 P2 New
at 1h25m     expect case u-3 P2 New
at 1h25m     expect no case u-4
at 2h        u-* interface up
at 2h        u-* interface errors 0%
at 2h        u-* interface load 20%
at 3h        expect case u-1 P2 Solved
at 3h        expect case u-2 P2 Solved
at 3h        expect case u-3 P2 Solved
until 4h
