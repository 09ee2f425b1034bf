# sysUpTime wraps after 497 days; that is no reboot. A missing sample is none either.
config reboots=1/1h
unit a customer=acme
at 0s        a answer 12ms
at 0s        a uptime 497d
at 4h        expect cases 0
at 4h        a snmp silent
at 5h        a snmp answers
at 6h        expect cases 0
at 6h        a reboot
at 6h2m      expect case a P2 New
until 7h
