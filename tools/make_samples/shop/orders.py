"""Facts about ordering: delivery, payment, returns and gift cards."""

from __future__ import annotations

from .fact import Fact

FACTS = (
    Fact(
        "delivery-time",
        "delivery",
        """
How long does delivery take?
When will my parcel arrive?
How many days does it take until I have my order?
If I order today, when do I get it?
Is your delivery fast?
""",
        """{A normal parcel|Your parcel} takes three working days{ from us to your door| to reach you|}.
{We pack it on the day you order|It leaves us on the same day} if you {order|place the order} before noon.""",
    ),
    Fact(
        "delivery-cost",
        "delivery",
        """
How much does delivery cost?
What do I pay for shipping?
Is shipping free?
Are there any costs for sending a parcel?
From which sum on is delivery free?
""",
        """{Delivery|Shipping} costs four euros. {For orders|If you order for} over sixty euros {it is free|you
pay nothing for it},
{no matter how big the box is|and that is true for heavy things, too}.""",
    ),
    Fact(
        "delivery-express",
        "delivery",
        """
Do you have an express service?
I need something by tomorrow. Can you do that?
How fast is express delivery?
What does express cost?
Can a parcel be here the next day?
""",
        """{With express|With our express service} your parcel {arrives|is there} on the next working day.
It costs nine euros, and you {need to|should} order {before|by} eleven in the morning.""",
    ),
    Fact(
        "delivery-abroad",
        "delivery",
        """
Do you send parcels to other countries?
Can you deliver abroad?
I live in another country. Can I order?
To which places do you ship?
How long does a parcel to another country take?
""",
        """We send {parcels|our parcels} to twenty countries {in Europe|all over Europe}.
{Abroad it takes|Such a parcel takes} about seven working days and costs {twelve euros|a flat twelve euros}.""",
    ),
    Fact(
        "delivery-pickup",
        "delivery",
        """
Can I pick up my order at the shop?
Is it possible to collect a parcel from you?
How long do you keep things for me to pick up?
Do I have to pay when I collect the order myself?
Can I order online and fetch it in Saltby?
""",
        """{Picking up|Collecting it yourself} is free. Your order is ready {after|in} two hours
and we keep it for seven days {behind the counter|at the counter}. {Bring your order number|Just tell us your
name}.""",
    ),
    Fact(
        "pay-ways",
        "payment",
        """
How can I pay?
Which cards do you take?
What ways of paying are there?
Can I pay by bank transfer?
Do you accept credit cards?
""",
        """You can pay by card, by bank transfer or with a gift card{, as you like|}.
{In the shop we also take cash|Cash is fine in the shop, too}, {even small coins|and coins are welcome}.""",
    ),
    Fact(
        "pay-parts",
        "payment",
        """
Can I pay in parts?
Is it possible to pay month by month?
Do you offer to split the payment?
I cannot pay all at once. What can I do?
Can I pay for a tent later?
""",
        """{For orders over one hundred euros|If your order is over one hundred euros}, you can pay in four
{equal parts|parts},
one {each|a} month. {This costs nothing extra|There is no extra cost}, {just ask us|simply choose it at the end}.""",
    ),
    Fact(
        "pay-invoice",
        "payment",
        """
How do I get an invoice?
Where is my bill?
Do you send the invoice by mail?
I need an invoice with the name of my company. Is that possible?
Will there be a bill in the parcel?
""",
        """{We send your invoice|Your invoice comes} by e-mail as soon as the parcel {leaves|has left} us.
If you need {another name|a company name} on it, {write to us|tell us} within thirty days {and we change
it|for a new one}.""",
    ),
    Fact(
        "return-days",
        "returns",
        """
How long do I have to send something back?
Until when can I return my order?
I do not like what I bought. Can I give it back?
How many days do I have for a return?
What is your rule for returns?
""",
        """You have forty days to send {things|anything} back, as long as {nothing is worn|you have not used it}.
{You do not have to tell us why|No reason is needed}, {we trust you|that is fine with us}.""",
    ),
    Fact(
        "return-cost",
        "returns",
        """
Does a return cost anything?
Who pays for sending things back?
Is the return label free?
Do I have to pay the postage for a return?
What does it cost me to send a jacket back?
""",
        """{Sending things back is free|A return costs you nothing}. {The label lies|You find the label} in the box,
{just stick it on|so put it on} and {give it to any post office|bring it to the post}.""",
    ),
    Fact(
        "return-money",
        "returns",
        """
When do I get my money back?
How long does a refund take?
I sent something back. When will you pay me?
How do I get the money for a return?
On which way do you pay the money back?
""",
        """{We pay you back|You get your money} within five days {after|once} your return {has reached|is back with} us.
The money goes {back the way you paid|the same way it came}{, so check there first|}.""",
    ),
    Fact(
        "return-exchange",
        "returns",
        """
Can I swap a thing for another size?
How does an exchange work?
The boots are too small. Can I change them?
Do I have to order again for another size?
How do I get a bigger size?
""",
        """{Swapping a size|An exchange} is {easy|simple}: {write the new size on the slip|put the new size on the slip}
and send the {first|old} one back. We {post|send} the new one on the same day{, at no cost|}.""",
    ),
    Fact(
        "gift-sums",
        "gift cards",
        """
Do you have gift cards?
What sums can I put on a gift card?
Can I buy a voucher for a friend?
How much must a gift card be?
What is the smallest gift card that you sell?
""",
        """{We have|There are} gift cards from ten to three hundred euros, {printed on wood|made of thin wood}.
{You choose the sum|The sum is up to you}, {we wrap it|and we wrap it for you}.""",
    ),
    Fact(
        "gift-valid",
        "gift cards",
        """
How long is a gift card good for?
Does a gift card run out?
My gift card is three years old. Can I still use it?
Until when do I have to use my voucher?
Do your gift cards end at some time?
""",
        """{Our gift cards|Gift cards from us} never run out, so {take your time|there is no hurry}.
{Even a card from 1998|Even the first one of 1998} {still works|is still good} {today|in our shop}.""",
    ),
    Fact(
        "gift-rest",
        "gift cards",
        """
Do I have to use my whole gift card at once?
What happens with the rest of the money on my gift card?
Can I use a gift card two times?
I did not spend all of my gift card. Is the rest lost?
Can I see how much is left on a gift card?
""",
        """{The rest stays on the card|Nothing is lost, the rest stays on it}, {ready for next time|for your next visit}.
You can see {what is left|the sum} on our page under {the sign of the acorn|the little acorn}.""",
    ),
)
