"""Remarks in passing about delivery, returns and billing, for messages whose own matter is another one.

They use the words of their category without being about the writer's problem, so that no word gives a label away. The
first block of a pair begins a message, the second follows the matter.
"""

from __future__ import annotations

DELIVERY = (
    """
My last parcel from you {came|arrived} in two days, so I know that you can be quick.
Delivery is always quick with you, {no complaint there|thank you for that}, but {now this|today I have something else}.
The tracking {worked|was right} and the driver was {friendly|on time}, so this is {not about that|about something else}.
The box {came|arrived} on [day] and all was in it, but {I have|there is} another {problem|thing}.
I do not mind {when|on which day} the next parcel {comes|arrives}, this is {more important|something else}.
The parcel is {here|delivered}, this is about {something|another matter}.
I {saw|met} your {driver|delivery van} in our street {today|this morning}, which reminded me to write.
The carrier was quick and the tracking number came {at once|in minutes}, {so far so good|all good up to then}.
My order arrived safely last {week|month}, thank you. {One thing|Just this}:
I already have the tracking number, that is not what I {need|am after}.
I know that order [order] is still {on its way|in transit}, this is {about another thing|not about that}.
{My|The} parcel was delivered on [day], well packed. {Then I saw this:|But:|Since then I have one worry:}
I tracked {my parcel|the box} to the door and had it by noon, {great|well done}. Now {to the other thing|to my matter}:
While I {wait|am waiting} for a parcel from you {(not late, do not worry)|anyway}, {a question|one more thing}:
Before you ask: nothing is late and no parcel is {missing|lost}.
It is not the {carrier|driver} and not the {post|shipping}, {those were fine|they did well}.
I {live|am} in [town], where your parcels always {arrive|come} on Tuesdays, but that is by the way.
""",
    """
By the way, the driver who {brings|delivers} your parcels {here|to us} is {a star|very kind}.
The delivery itself was quicker than I thought, {I must say|by the way}.
PS: the last parcel {came|arrived} {early|a day before the date}.
At least the delivery was on time.
Your carrier knows {my door|where I live}, so {that works|no trouble there}.
(My address for {delivery|the parcel} is still the same.)
The tracking is not my problem here, it {shows|says} "delivered".
If you {send|post} something, please send it to the {same|usual} address.
If a parcel is {needed|sent} for that, any {day|weekday} is fine.
{If it has to be shipped|Should anything be delivered}, not before [day] please, we are away.
Last time my parcel was {late|lost}, but that {was|is} settled.
My neighbour can take {a parcel|the box} if I am out.
{Apart from that|Otherwise} the shipping was {quick|perfect}, do not get me wrong.
If you {reach|see} the driver: many thanks from me for {ringing twice|climbing the stairs}.
{I do not want|Please do not let me have} to wait for a parcel {for nothing|again}.
I only look at the tracking page when I am {bored|nervous}, so mail is better.
{And then|After that} I would also {have to|need to} know when it would {be delivered|arrive}.
""",
)

RETURNS = (
    """
I returned [a_item2] in {spring|summer} and the refund {came|was there} in a week, so I trust you with {this|my
  problem}.
I do not want to {return|send back} anything, I am happy with {what I have|my [item2]}.
You once {exchanged|repaired} [a_item2] for {me|[who]} and were very {kind|fast}, so I {write|come to you} again.
Nothing is broken and nothing goes back, {do not worry|just to be clear}.
Last year I {sent|gave} [a_item2] back because [2they] [2was] too small, and {all went well|that was easy}.
I had a refund from you {once|before} and that was {quick|easy}. I hope that this is, too.
When a zip broke in 2021 you repaired it under guarantee. I {have not forgotten|still think of} that. Now {this|I
  need you again}:
All that I {ordered|bought} last time fitted, so nothing had to be sent back.
I read your page on returns and refunds, but that is not {it|my case|what I need}.
My {sister|brother} exchanged [a_item2] last week without trouble and said I should {just|simply} write to you.
When I swapped [a_item2] for a bigger size in your shop, [agent] said that I could {always|also} ask here.
I have never {returned|sent back} a thing in {six|ten} years, but {now|today} I {need|want} help.
The {exchange|repair} of my [item2] is {done|settled}, thank you. {Now the next thing|Something else now}:
{Apart from|Besides} my return, which has {arrived|been refunded}, I have {another|a different} matter.
My refund for the [item2] has come, thank you. {Next|Now}:
""",
    """
By the way, the {exchange|repair} of my [item2] {went well|was perfect}.
I am not asking for a refund, {just so you know|to be clear}.
The [item2] that I {sent|gave} back {arrived|has been refunded}, thanks for that.
And no, I do not want to {exchange|return} anything.
PS: the {repaired|mended} [item2] look[2s] as good as new.
(My return of last week is {done|settled}, please do not mix {the two|them} up.)
The refund for the [item2] {came|was paid} on [day], so that is {not it|done}.
If {that|it} does not work, I can still send everything back, I suppose.
{Otherwise|If not}, I will have to {return|send back} the lot, which {I do not want|would be a pity}.
Nothing is {torn|broken|damaged}, I {only|just} want this {cleared up|sorted}.
The guarantee runs until spring, but {I do not need it here|that is not the point}.
I would hate to {return|give back} my things because of this.
The last time something was faulty, you {replaced|refunded} it at once, so I {have hope|trust you}.
I still have to {bring|take} a return to the post {today|on [day]}, but that is another story.
{I kept|I have} the label and the box in case something {goes|has to go} back.
A refund would {not help me|be no help}, I want {it to work|an answer}.
""",
)

BILLING = (
    """
I paid {by card|at once|on the same day} and the invoice is {right|fine}, {but|only} now {this|I have another matter}:
The price was good and the voucher {worked|was taken}, so this is not about {money|the bill}.
I have the {invoice|bill} {in front of me|here}, order [order].
I paid [amount] {for it|in all}, {which is fair|no problem}, but {there is one thing|something is not right}.
The bill is paid, this is about something else.
I {got|had} a gift card from {my brother|my mother|a friend}, that is how I {found|came to} you.
The payment went through {without trouble|at once}, {so you have my money|that was the easy part}.
I always pay my bills on time, {so I hope for|and I think I can ask for} {a quick answer|some help}.
You charged the right {sum|amount}, all fine there. {But:|However:}
I used the {discount|voucher} from {spring|last month}, thank you for that. {Today|Now} I {have|write about}
  something else.
I have paid for order [order], {the receipt is in the box|as you can see}.
I {spend|pay} a lot of money {at your shop|with you} each year, so {please help me|I hope you care}.
This is not about the price, {I gladly paid that|the price is fair}.
The charge on my card is {right|correct}, I checked. {What is not right:|My problem is this:}
I {was going to|wanted to} spend a gift card of [amount] with you, but first {this|I need an answer}.
A reminder came {yesterday|on [day]}, I have paid that. {Now to the thing|Now} I {wanted|want} to write about:
""",
    """
By the way, I {paid|have paid} the {open bill|last invoice} {today|on [day]}.
The reminder was a mistake, [agent] has {sorted|cleared} that already.
PS: the voucher {worked well|saved me [amount]}, thank you.
If it costs something, {send me an invoice|put it on my bill}.
I would {pay|gladly pay} {extra|a bit more} for {that|it}.
(The invoice is right, no need to send a new one.)
I do not want to be charged for this, of course.
At these prices I {expected|had hoped for} {a bit more|better}.
I {have|can send you} the {receipt|invoice} in case you {need|want} it.
Please do not {charge|bill} me for anything before that.
A discount on the next order would be a {nice touch|kind gesture}, but I don't ask for it.
The money {came off|left} my bank on [day], so {the order is paid|that is done}.
And I am not after a {voucher|discount}, {I just need help|really}.
I will pay {by transfer|with my gift card} as {always|usual}, if there is anything to pay.
{Money|The price} is not the {question|point}.
If I have to pay for {that|this}, tell me the price {first|before}.
""",
)
