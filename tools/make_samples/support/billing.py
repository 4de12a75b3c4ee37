"""Billing: charges, invoices, ways to pay, prices, vouchers and reminders."""

from __future__ import annotations

from .topic import Topic

TWICE = Topic(
    name="charged too often",
    situations="""
You {took|charged} [amount] twice for order [order]. @123456/1345
My card shows two {lines|payments} from {you|Quillmoor} on [day], and I only bought [a_item]. @12456/124
I cancelled the order [ago], and the money {was taken|went off} {anyway|all the same}. @234/35
The [item] [was] paid {by [who]|with a gift card}, and still you {charged|took it from} my card. @234/356
I pressed the button once, I {swear|am sure}, but there are {two|three} charges of [amount]. @1245/135
There is a payment to {you|your shop} on my {statement|account} that I cannot match with any {order|parcel}. @2/25
First you {held|blocked} [amount] on my card and then you took it {again|a second time}. @124/135
You charged me on [day] for [a_item2]. I have never {ordered|had} [a_item2]. @24/236
Since {spring|May} a small sum goes to you every month, {and I do not know what for|for nothing that I know of}. @2/256
The [item2] [2was] out of stock and struck from my order, yet I {paid|was charged} for the full basket. @23/3
You {wrote|said} that the second charge would vanish by itself. {It is still there.|After ten days it is still
  there.} @134/135
One [item] in my box, two on my {card|bank} {bill|statement}. @1246/13
""",
    details="""
The bank {says|told me} that both are booked for good.
I {attach|can send} a picture of the {statement|two lines|bank page}.
[agent] {promised|told me on the phone} that it would be fixed by [day].
It put my account in the red, {and that costs me|so it is not a small thing}.
My delivery {came|arrived} in one box, so there was only one order.
The site {showed|gave me} an error and I tried again, maybe that is {why|the reason}.
""",
    asks="""
Please {give|pay} back one of them.
What is it for?
When will I {have|see} my money?
Can you check which one is {right|real}?
Do I have to {call|go to} my bank?
{Stop|Please stop} this and explain it.
""",
    shorts="""
charged twice for [order]!!
Why did you take [amount] from my {card|bank}?
Two payments, one order. {Please fix.|Please pay one back.}
I cancelled and you charged me anyway
There is a charge from you that I do not {know|understand}.
""",
)

INVOICE = Topic(
    name="invoice",
    calm=True,
    situations="""
I need an invoice for order [order], and there was none in the {box|parcel}. @12456/13
The invoice for the [item] is {made out to|in the name of} [who], but {I paid|it should have my name}. @3/12
My {office|company} pays for the [item] only with a proper bill that shows the tax. @1246/134
The total on the invoice is {wrong|not what I paid}: it says [amount], my card says {less|more}. @6/12
I bought the [item] for our {club|school|scout group}, and {the treasurer|our bookkeeper} needs {paper|a bill}.
  @1245/135
On the bill you {list|name} [a_item2], in the box was [a_item]. {The box is right.|I need the bill to be right.} @36/12
The file with the invoice {is empty|does not open}, {on no computer|neither here nor at work}. @56/1
I {returned|sent back} one thing, and the invoice {still shows|has} both. @56/12
It is time for my taxes, and I have {lost|deleted} the bill for [a_item] from {last year|spring}. @24/13
You {sent|mailed} me the invoice of {somebody else|a person in [town]}. {Who has mine?|I hope mine did not go there.}
  @45/1
The insurance asks for {proof|a receipt} of what the [item] cost, because [they] [was] stolen. @2456/13
There is a {line|fee} called "service" on my invoice that nobody {told me about|mentioned}. @-/6
""",
    details="""
The tax number {should|must} be on it, too.
An {e-mail|electronic one} is enough.
The address on it is {an old one|from before our move}, by the way.
I {looked|searched} in my account, there is only a delivery note.
[who] needs it [when].
Without it I cannot {claim anything|get the money back from work}.
""",
    asks="""
Could you send me {one|a new one}?
Can this be corrected?
Where can I {find|print} it?
Please put the company name on it.
Can you make {one|a single one} for both orders?
What is that sum {about|for}?
""",
    shorts="""
invoice for [order] please
Where do I find my {bills|invoices}?
Wrong name on the invoice, can you change it?
Need a receipt for [a_item] for my {tax|insurance|boss}.
The sum on your bill is {wrong|too high}.
""",
)

CODES = Topic(
    name="vouchers and gift cards",
    situations="""
I forgot to {enter|use} my code when I bought the [item], {it was late|I was too quick}. @356/13
The newsletter promised {ten|fifteen} percent, and on my bill I see {nothing of that|the full price}. @236/14
[who] gave me a gift card for my birthday, and it is {"not valid"|said to be empty}. @13/26
I {have|got} two vouchers, and the total {took|only counts} one of them. @235/345
My gift card has [amount] left, {I think|by my count}, but your page says {less|zero}. @13/26
The code {WELCOME|SPRING|TRAIL} was {taken|accepted}, and then I paid the full price for the [item]. @23456/14
I {paid|bought the [item]} with a gift card and sent [it] back. Now that money is {nowhere|neither here nor there}.
  @3/26
The paper of my gift card {went through the wash|is torn}, and I {can only read|read only} half of the number. @-/26
The discount for {members|students} {was missing|did not show} on order [order]. @26/146
I would like to {give|buy} a gift card, but pay it {in cash|by bank transfer}. {Is that possible?|How would I do
  that?} @-/-
Your voucher {ran out|ended} on [day], the mail with it {came|got here} on the day after. @3/136
I was {told|promised} [amount] off for the trouble with my last {parcel|order}, and I paid {in full|the lot}. @3/134
""",
    details="""
I {typed|tried} it with and without the line in the middle.
The basket was {large|high} enough for it.
I still have the {mail|card} here.
[agent] gave me the code {on the phone|in your shop}.
It was good until the end of the month.
I {ordered|paid} already, because I was afraid that the [item] would be gone.
""",
    asks="""
Can you {take|count} it {off afterwards|off now}?
How much is still on it?
Can I {use|get} it {later|for the next order}?
Please pay me the difference.
Can I {join|use} both?
What {happens|can be done} with it now?
""",
    shorts="""
forgot my {code|voucher}, can you still take it off?
How long is a gift card good for?
My gift card is not {taken|accepted}.
Code did not {count|work}, paid full price for [a_item]. {Please correct.|Can I get the rest back?}
How much is left on my gift card?
""",
)

WAYS = Topic(
    name="ways to pay",
    calm=True,
    situations="""
I would like to pay for the [item] in {three|several} parts, as the [item] [is] {rather dear|not cheap}. @5/23
Your shop {turned down|would not take} my card, although {it works|I can pay with it} everywhere else. @1346/12
I {have no|do not own a} credit card and do not want one just for [a_item]. @256/12
I paid by bank transfer [ago], and you {write|say} that no money has {come|arrived}. @36/15
When I made the transfer I {forgot|mixed up} the order number. @36/15
My card {was changed|ran out} {last week|in spring}, and my open order still {has|uses} the old one. @36/14
[who] would like to pay half of the [item] and I the other half. @-/23
The bank asks me to {confirm|allow} a payment to you in a {foreign|strange} currency. @-/13
I picked "pay {later|in 30 days}" for the [item], and you {want|took} the money {now|at once}. @-/14
I live {abroad|across the border}, and I {do not see|miss} the way of paying that we {have|use} here. @56/2
You {say|wrote} that the payment for order [order] failed. On my side it {did not|went through}. @136/15
I sent [amount] too much by transfer, {I mixed up two numbers|a slip of the finger}. @-/56
""",
    details="""
The card {is fine|has enough on it}, I {asked|checked}.
I do not like to {type|save} my card number on {a site|the net}.
The order is on hold because of {that|this}.
At your shop in town it {worked|went} without trouble.
You {used to offer|had} that {before|last year}.
I need the [item] [when], so it is {a bit|rather} urgent.
""",
    asks="""
What can I do {now|about it}?
Which ways to pay are there?
Does it cost {extra|more}?
Can I {still change|switch} that for this order?
Did you {get|find} it?
Can you send it back?
""",
    shorts="""
Can I pay {in parts|by bank transfer|on account|in cash}?
card declined but the bank says its fine
How long do I have to pay the bill?
Do you take {cheques|foreign cards|gift cards of other shops}?
can i pay half now and half {later|next month}?
""",
)

PRICE = Topic(
    name="prices",
    situations="""
I bought the [item] [ago] and now [they] [is] {a third|[amount]} cheaper. @245/14
In the basket the [item] cost {less|[amount] less} than {on the bill|what I paid in the end}. @16/135
The {tag|sign} in your shop {says|said} one thing and the {till|receipt} another. @16/134
Another shop {has|sells} the same [item] for {far|a lot} less. @2/23
You {raised|changed} the price of the [item] between {noon and evening|Monday and Tuesday}, while I was choosing. @12/34
You {charge|took} {seven|nine} euros for shipping although I {bought|spent} {more than enough|far over the limit}.
  @26/356
The shipping for one small [item2] {cost|was} nearly as much as the thing. @2/46
I {had to|was asked to} pay {customs|tax} at my door for the [item]. {Your page does not say that.|Nobody told me.} @5/3
Half of my order {came|was sent} later, and for that you charged {postage|shipping} a second time. @26/456
I paid for express, and the parcel {took|needed} {six|eight} days. I do not want to pay {extra|more} for that. @2/46
The set of [item2] and [item] {costs|is} more than the two {things|parts} on their own. @16/3
I got an offer for {ten|twenty} pieces by mail, and the bill {has|shows} the normal price. @-/135
""",
    details="""
I took a {photo|picture} of the price that day.
I have been a customer for {eight|six} years.
[who] paid {less|only half} for the very same.
I have not even {opened|unpacked} the box.
[amount] is a lot for {us|a student|a pensioner}.
It may be my mistake, I do not {see well|read small print}.
""",
    asks="""
Do I get the difference back?
Can you {match|do} that price?
How {does that come about|do you explain that}?
Is that {fair|right}?
Please {correct|check} the sum.
Could you {take|leave} that {off|out} this time?
""",
    shorts="""
[item] cheaper now than [ago]. {difference back?|Can I get the rest?}
Why did I pay shipping for [order]?
Do you have a {student|group|family} price?
The price on the shelf was {lower|not the same}.
do you match prices of other shops?
""",
)

REMINDER = Topic(
    name="reminders",
    situations="""
I got a {reminder|letter} for order [order], and I {paid it|have paid that} [ago]. @235/12
You want {a late fee|five euros extra}, although the bill came {after|with} the reminder. @356/13
Your {second|last} letter {sounds|is} like a threat. {I have paid.|I never got the first.} @2356/12
I sent the [item] back, and {now|yet} you want me to pay for [it]. @45/1
The reminder is for [a_item] that I never {ordered|got}. @35/15
I {told|asked} you that I {would|could} pay after the {first|tenth}, and [agent] {agreed|said yes}. @5/13
My mother, who is {eighty|in hospital}, gets letters about money that she does not owe. @-/15
A {debt|collecting} firm {wrote|called} because of [amount]. {I fell off my chair.|I am shocked.} @235/15
I only {owe|have to pay} the half, because the rest of the parcel never came, and you {remind|want} me for all. @5/1
The account number in your reminder is {new|not the one} from the invoice. @15/56
I {overlooked|forgot} your bill {while|because} we were {away|moving}, I am sorry. @5/346
Every {week|Monday} a reminder for a bill of zero euros. {It is funny, but please stop.|Zero!} @-/1
""",
    details="""
The {transfer|payment} is from the [day] before.
I have the bank paper {in front of me|here}.
[who] {opened|found} the letter and was quite upset.
The parcel {is|was} long back in your house, I have the slip.
I always {pay|paid} on time until now.
I {changed|gave you} my address in the account, but the letters go to the old one.
""",
    asks="""
Please put this {right|in order}.
Is it {paid|settled} now?
Can you take the fee away?
Could I pay it in two {parts|steps}?
Is this letter {real|from you}?
To which account {should|do} I pay?
""",
    shorts="""
Reminder for [order] although {paid|I paid}!
I paid. stop sending letters
What is this late fee?
Is the mail about an open bill {really from you|real}?
Can I pay {the open bill|[order]} {next|at the end of the} month?
""",
)

TOPICS = (TWICE, INVOICE, CODES, WAYS, PRICE, REMINDER)
