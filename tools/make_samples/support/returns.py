"""Returns: sending things back, exchanges, faults, and the money for what was sent back."""

from __future__ import annotations

from .topic import Topic

SIZE = Topic(
    name="wrong size",
    calm=True,
    items="wear foot",
    situations="""
The [item] [is] {too small|too tight} for [who], so {[they] cannot stay|we cannot keep [it]}. @123456/12345
I took my {usual|normal} size, but the [item] {would fit|[is] made for} {a child|somebody half my size}. @12345/123456
The [item] came quickly and look[s] lovely, only {two sizes too big|far too wide at the top}. @12346/23456
I {followed|used} your size table for the [item], and still [they] pinch[es]. @12345/1235
[who] tried the [item] on {at home|on the carpet} for ten minutes: {too long|too narrow}, sadly. @1235/12356
I {bought|ordered} the [item] in two sizes {because I was not sure|to be safe}, and one {of them |}has to go back. @12/6
My {toes|fingers|shoulders} say no to the [item]. {Wrong size, my fault.|I should have measured.} @12456/1345
I would {love to|like to} keep the [item], just in {a bigger|the next} size. @12456/12356
The [item] fit[s] [who], but not me, and I was the one who was meant to wear [it]. @125/346
Size {38|40|42} of the [item] [is] more like {36|44|39}. {I am surprised.|That cannot be right.} @1234/124
The label says {M|L|S} and the [item] {says otherwise|look[s] like two sizes less}. @124/1234
I lost some weight since I ordered, {believe it or not|which is good}, and now the [item] hang[s] on me like a sack.
  @125/34
""",
    details="""
[they] [was] only worn {inside|in the hall}.
The tags are still on and I have the box.
I paid with a gift card, in case that matters.
The trip is soon, so {time is short|it should not take weeks}.
The colour is {great|just right}, by the way.
It {was|is} a present, so I do not have the {bill|receipt}.
""",
    asks="""
Can I {swap|change} [it] for the next size?
Would you {send|post} the other size before you have the first {one|parcel} back?
How does an exchange work with you?
Should I send [it] back and order {again|new}?
Is the {bigger|other} size there at all?
What do I need to {fill in|do}?
""",
    shorts="""
[item] too small, can i {swap|exchange}?
How do I {exchange|swap} [a_item] for a bigger size?
They don't fit. {Back to you?|What now?}
Ordered M, need L. {Exchange possible?|Can we swap?}
The [item] [is] {huge|tiny} on me. {What can I do?|Sending [it] back.}
""",
)

CHANGED_MIND = Topic(
    name="changed mind",
    calm=True,
    situations="""
I {no longer need|do not need} the [item], {our trip was called off|the walk is off}. @12356/12345
{Two people|[who] and I} gave {my boss|our friend} the same [item]. One of them would like to go back to you. @135/12345
In the picture the [item] looked {dark green|grey}, {at home|in daylight} [they] [is] nearly {yellow|brown}. @1345/12345
I {like|liked} the idea of [a_item] more than the thing itself, {to be honest|I must say}. @1345/1345
I bought the [item] in {March|May|autumn}, {never used [it]|[they] [is] still in the box}, and now I am moving house.
  @356/1345
{On second thoughts|After a night's sleep} I do not want the [item] any more. @12345/12345
The [item] [is] well made, no question, but {heavier than|not what} I {thought|had hoped for}. @1345/1345
I was ill for three weeks and {missed|may have missed} the time for sending the [item] back. @13/146
[who] ordered the [item] {from my phone|without asking}, and I {would|have to} send [it] back. @125/2345
I bought [a_item] in your shop in {person|the old town}, not on the net, and {want|would like} to give [it] back.
  @13/245
It is day {29|31|32} since I {bought|got} the [item], and I have changed my mind. @1356/145
The [item] [was] on sale, and your page says {little|nothing} about sale goods that {one does not want|do not
  please}. @135/134
""",
    details="""
I opened the bag, but {did not use|never used} [it].
My account still shows the order as new, so I hope {for the best|that I am in time}.
I {would|could} also take a voucher.
{No hard feelings|It is not your fault}, it is just not for me.
I have no printer {here|at home}, I should add.
I know that I am {a bit|a little} late.
""",
    asks="""
Can I still give [it] back?
How long do I have {for that|to decide}?
Who pays the postage {then|back}?
Do I get {the money|all of it} or a voucher?
Can I {hand it in|bring it} at your shop?
What would you {advise|suggest}?
""",
    shorts="""
How many days do I have to send something back?
want to return the [item], never used
Can I give back sale things{ too|}?
Present was bought twice, can one go back?
I {changed my mind|do not like it}, {how do I return|where can I send} the [item]?
""",
)

FAULTY = Topic(
    name="broke in use",
    situations="""
After {three walks|two weeks|one season} the [item] {gave up|broke}. That is not what I {expect|pay for}. @12356/123456
The seam of the [item] came {open|apart} {on the second day|on our first night out}. @123456/123456
{A buckle|The zip|A strap} on my [item] {broke|came off} when [who] {pulled|closed} it, quite gently. @23456/1256
The [item] [was] {fine|great} for {a year|eight months}, and now there is a {hole|crack} where no hole should be.
  @1346/1256
I have had {three|four} [items2] from you with no trouble, but the [item] fell to pieces {in the rain|on day one}.
  @235/12345
Your product page {calls|called} the [item] "built for years". Mine {lasted|held} for {six weeks|eleven days}. @123/134
The [item] smell[s] so strongly of {glue|paint} that I cannot have [it] in the house. @2/345
Something inside the [item] rattles and {it gets|things get} worse. @356/1256
I {noticed|saw} a {crack|loose thread} on the [item] at once, used [it] anyway, and now it {grows|is longer}. @356/125
Water comes through the [item] {at the side|at the bottom}, though your own {page|label} says waterproof. @123/12345
[who] used the [item] twice. Then the handle {came off|was in [hers] hand}. @123/1245
The [item] did not survive our garden, let alone on a mountain: {bent|torn} after one night. @23/1234
""",
    details="""
I {treated|cleaned} [it] as the label says.
[they] cost [amount], so I {hoped|had hoped} for more.
I have {photos|pictures} and the invoice {here|ready}.
I could {sew|fix} it myself, but I do not think that I should have to.
My {brother|sister|neighbour} {says|thinks} it is a known weak point.
I can wait, I do not need [it] before {spring|summer}.
""",
    asks="""
Does the guarantee cover {this|that}?
Can you repair [it], or do I get {new ones|a new one}?
{What are you going|What do you plan} to do about it?
I want my money back, not {another one|a new one}.
Where should I send [it]?
How long would a repair take?
""",
    shorts="""
zip broken after {one|a} week. {seriously?|not good}
My [item] broke. Is there a guarantee?
Can you {repair|mend} [a_item]?
The [item] leak[s]. Money back, please.
Second [item], same {fault|weak point}. I give up.
""",
)

DAMAGED = Topic(
    name="arrived damaged or wrong",
    situations="""
The [item] came with a {scratch|tear|stain} {as long as my hand|that I could see from the door}. @12345/23456
I ordered the [item] in {green|blue} and got {red|pink}. {Not my colour.|Close, but no.} @3456/123
In my box was [a_item2] and not [a_item]. {Someone must have mixed up two orders.|The label was mine, though.} @346/1234
You sent me the [item] twice, although I {ordered|paid for} only one. @3/34
Somebody {wore|used} the [item] before me: there is {sand|mud|dog hair} on [it]. @124/236
The parcel was on time, but the [item] inside [was] {wet|crushed}. @24/256
The [item] [is] not the one that I {chose|picked}, but the {older|cheaper} model. @456/123
When [who] unpacked the [item], a piece fell {off|on the floor}. @1245/2456
I found {a broken part|a bent piece} in the box of my [item], and {it is no use|I cannot use [it]} like that. @124/2346
The [item] {has|came with} a name written inside, and it is {not mine|somebody else's}. @123/236
I {opened|unpacked} your parcel with joy and {closed|shut} it with a sigh: the [item] [is] {stained|scratched}.
  @1245/246
The new [item] you sent in exchange {look[s] worse|[is] worse} than the first. @25/236
""",
    details="""
The outer box was {whole|fine}, so it must have happened {before|with you}.
I took pictures before I {touched|moved} anything.
I {threw|put} the box away already, sorry.
It is for a {birthday|wedding} on [day].
I would keep [it] for a fair discount.
The invoice in the box {is right|shows the right one}, oddly.
""",
    asks="""
Please send me the right one.
How do I get [it] back to you without {paying|costs}?
What should I do with {this one|what I have here}?
Can you {collect|pick up} [it] here?
Do I have to wait until you have {looked at|checked} [it]?
I would like to have {my money|what I paid} back.
""",
    shorts="""
[item] arrived {broken|torn}, see photo
Wrong colour in the box. I ordered {green|black}.
got [a_item2], ordered [a_item]. who has mine?
The [item] [has] been {worn|used} before!
You sent the wrong {thing|size}, {please change it|what now?}
""",
)

REFUND = Topic(
    name="money for a return",
    situations="""
I sent the [item] back [ago] and {have not seen a cent|nothing is on my account} so far. @12356/1235
Your mail {promised|said} five days for the refund. It is {week three|day sixteen} now. @2356/135
You have {had|got} my [item] back since [day], {the carrier says|I have proof}, and yet {silence|no word}. @235/135
For the [item] I paid [amount], and you {paid|gave} back {only half|less}. {Why?|That is not right.} @234/36
I sent two things back, and you {counted|paid for} only {one|the smaller one}. @123/36
My return is "being checked" since [since]. {What is there to check?|How long can one look at [a_item]?} @25/135
You say that the [item] [was] used. {[they] [was] not|I only tried [it] on}, so I do not {accept|agree with} the cut.
  @24/36
The refund for the [item] went to {a card|an account} that I closed {in spring|a while ago}. @256/134
I {wanted|asked for} my money for the [item], and you sent me a {voucher|gift card} instead. @24/3
The parcel with my [item] came back to you because {nobody was in|I was away}, and now I {want|would like} the money.
  @25/125
I took the [item] to your shop. The {man|woman} there said the money {would come|comes} by card. It {has not|did
  not}. @35/134
You {took|kept} {5|7|6} euros for the way back, though the [item] [was] {broken|faulty} when [they] came. @24/36
""",
    details="""
I have the slip from the {post office|pick-up point}, dated [day].
The order number was [order].
I checked my bank {twice|this morning}.
It is not a large sum, but it is {mine|the principle}.
I would like to buy [a_item2] with {it|that money}, so you {would get|get} it back anyway.
[agent] told me that [agent_she] had {sent|started} it.
""",
    asks="""
When do I get it?
Has it arrived {with you|at your end}?
Please check {this|it} and write to me.
{Where did it go|To which card did it go}?
Is there something that you still need{ from me|}?
Can you please pay the rest{, too|}?
""",
    shorts="""
still no money for the returned [item]
When will I get my money {back|for order [order]}?
Did my return {arrive|get to you}?
You refunded [amount] {too little|less than I paid}.
sent [item] back [ago], {heard nothing|no refund}
""",
)

HOW_TO = Topic(
    name="how to send back",
    calm=True,
    situations="""
I {want|have} to send the [item] back and there was no {label|slip} in the box. @1456/14
The return label {prints|comes out} with half of the code {missing|cut off}. @35/1
I cannot find the place {on your page|in my account} where one {reports|starts} a return. @456/16
I ordered as a guest, so I {have no|never made an} account to start a return from. @145/16
The [item] [is] too big for {the parcel locker|my bike}, and the next post office is {far|an hour away}. @25/3
I {live|am} abroad and the label that you {sent|gave me} is only good {inside the country|at home}. @145/14
I {threw|put} the {first|old} box {away|into the stove}, so the [item] would come back in a {plain bag|shoe box}. @6/5
There are three things from two orders to go back. {I have one box.|They fit into one box.} @46/2
Your driver would not take the [item] along when I asked at the door. @4/36
I printed the label {last month|weeks ago} and it {is no longer good|has run out}. @15/1
Yesterday I sent the [item] back to the address on the {invoice|bill}. {Now I read that it is wrong.|Was that right?}
  @-/4
The form wants a reason for the return, and {mine is not there|none of them fits}. @456/6
""",
    details="""
I have {tape|paper} and goodwill, but no printer.
[who] could bring [it] {to you|by} on [day].
The code in the mail does not open {on my phone|for me}.
I {read|went through} the help page {twice|from top to bottom}.
The [item] [is] packed and stand[s] at the door.
I do not want to {do anything wrong|lose [it] on the way}.
""",
    asks="""
Where do I get a label?
Can one box hold {both|all of it}?
Can somebody {collect|fetch} [it]?
Which address is the right one?
Do I need {the receipt|the old box} for it?
How do I {do|start} that?
""",
    shorts="""
How do I {send|give} something back {as a guest|without an account}?
no return label in the box
Where {can|do} I drop off a return in [town]?
Do you {pick up|collect} returns?
Need a new label for my return, the old one {ran out|is gone}.
""",
)

TOPICS = (SIZE, CHANGED_MIND, FAULTY, DAMAGED, REFUND, HOW_TO)
