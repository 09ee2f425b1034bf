# Three reboots within the hour, told by sysUpTime, are a P2.
unit a customer=acme
unit b customer=acme
at 0s        all answer 12ms
at 1h        a reboot
at 1h15m     a reboot
at 1h25m     expect no case a
at 1h30m     a reboot
at 1h35m     expect case a P2 New
at 1h35m     expect no case b
at 1h10m     b reboot
at 2h30m     expect case a P2 Solved
until 3h
