"""The keeper's log of Tern Rock Light, June to August."""

from __future__ import annotations

ENTRIES = (
    (
        "1 June",
        """
First of June and hot as an oven. No wind. The tar on the boat shed has gone soft and takes the print of every foot,
also of those who should not have been there, such as hens. I let down a bucket for cold water each hour and poured it
over my head. The sea is so clear that I could see the old anchor on the bottom, the one that nobody has ever claimed,
with fish going in and out of its ring. In the evening thunder walked around us in a wide circle, and did not come in.
I had all buckets ready. Not one drop. Lamp lit at a quarter to nine, moths in the beam by the hundred, and swifts
behind the moths.
""",
    ),
    (
        "8 June",
        """
The thunder that was owed to us came tonight, with interest. Wind from all sides. At two in the morning a flash struck
the iron rod on the roof, ran down the outside of the tower and went into the sea with a hiss. For a moment everything
was blue: the stairs, my hands, the cat. I could not hear for an hour afterwards and spoke to myself to find out if I
still could. The rod has melted at the tip and looks like a candle. That is what it is for; better the rod than me. By
five it was over, and the morning was as innocent as a washed plate. Rain in the cistern: a hand deep. Lamp did not go
out.
""",
    ),
    (
        "14 June",
        """
Wind south-west, a good sailing wind. The race around the island was today, and forty boats went past my door with a
noise like bed sheets. I had been asked to write down the time of each at the rock, so I sat on the wall with the
clock, the book and a hat. Sunna was the seventh in her father's old boat with a patched brown sail, and the six ahead
of her were all new and twice as long. She saw nobody and nothing, only the wind. I rang the bell for her once, which
a keeper should not do. She took third place in the end; Bram sent word by flag. I had to look twice, my glasses were
wet. Lamp lit at nine.
""",
    ),
    (
        "21 June",
        """
The longest day. The sun went down at half past nine and hardly seemed to mean it. In the north there was a pale band
all night long, and one could have read this page by it. I do not like to light the lamp when there is so little for
it to do, but the rule is the rule, and so I lit it at a quarter past nine and put it out at half past three, six
hours, the shortest watch of the year. Between the two I sat on the gallery with tea. The sea was breathing very
quietly. A seal sang, if that is the word, somewhere below in the dark, one long note and then another. Wind none. I
would not have slept for money.
""",
    ),
    (
        "29 June",
        """
Wind west, light, haze on the horizon. A painter came out with the supply boat, a tall woman with a large box, and
asked if she might stay until the evening. She put up her chair on the west side and painted the same piece of water
five times, because it would not keep still. She did not talk, and I did not either, and it was good company. At noon
I brought her bread and an egg. When she left she gave me one of the five, the one that she liked least, she said.
There is hardly anything on it: three lines of grey and one of green. I have hung it beside the window. The longer I
look, the more it moves. Lamp lit at nine.
""",
    ),
    (
        "5 July",
        """
Trouble. The spring that turns the lens broke at eleven at night with a bang like a gun. A light that stands still is
another light, and a ship might take us for Gannet Head and turn too soon. So I turned it by hand. One push, count to
thirty, one push, count to thirty, from eleven until it was day. I sang to keep the time, first the song with the
eleven verses, then hymns, then the names of all the boats I know. Toward three I believe that I slept and pushed in
my sleep. At four I let go and lay down on the floor beside the lens. Wind had been light, thank God. I have sent for
a new spring. It may be here by Tuesday.
""",
    ),
    (
        "9 July",
        """
Four nights by hand. I was not alone for the last two: Sunna saw from the land that the light did not turn evenly, and
came out without being asked. We took it in turns, two hours each. She counts faster than I do, so on her watch the
ships had a somewhat hurried light, and on mine a slow one. The spring came this noon in a box with straw, and it took
us six hours to put it in, with the cat sitting on the very part that we needed. It turns. We stood and watched it go
around as if we had never seen such a thing. She said that it is like teaching somebody to walk. Wind fair. Lamp lit
at nine. I shall sleep for a week.
""",
    ),
    (
        "18 July",
        """
Wind south-east, warm and steady. The water is full of jellyfish, clear ones with four pink rings, thousands of them,
all going the same way at the same speed. It looks like a slow parade. I wanted to swim and have thought better of it.
Picked the first beans and ate them raw, standing up. The rain barrel is down to a hand's width, and the hens and I
are counting. At dusk a small yacht put up a lantern close under the rock, which is not a good place. I shouted down
to them. They had believed that we were the harbour. I told them the way and lent them my chart, and they rowed back
to shake my hand. Lamp lit at five to nine.
""",
    ),
    (
        "26 July",
        """
Dry, day twenty-two. Wind east again, hot, with a taste of dust. I wash in the sea now and keep the cistern for
drinking. The grass on the rock, never much, has turned to straw and whispers when one walks on it. I have learned to
cook with half a cup. The hens got the water from the eggs, the beans got the water from the hens, and the cat, who
drinks only milk, looked on as a rich person does. Toward evening a bank of cloud stood in the west with a gold edge,
and I put out all the pots and pans, and they looked very hopeful, one beside the other. It went to the north of us.
Lamp lit at a quarter to nine. Pots left out, just in case.
""",
    ),
    (
        "3 August",
        """
Rain! It began at ten past three in the night with a single drop on the big pan, then a second, like somebody who
wants to know if one is awake. I was. I ran out in my shirt and stood there. The pots sang in all their different
voices, high and low, and filled and ran over, and the cistern gulped like a cow. By morning the rock was green at the
edges, or I wished it to be. Wind west, cool, as it should be. I made a full pot of tea, a whole one, and drank it to
the end, and then I washed the windows for the pure joy of wasting some. Ships: two. Lamp burned until five. Glass
low, and welcome.
""",
    ),
    (
        "12 August",
        """
Clear night, no moon, and the sky was falling. So it looked: one shooting star after the other, some of them with a
tail that stayed for a breath. I lay on my back on the gallery with the beam going around above me, and counted
between two turns. Eighty-one in one hour. My sister and I used to wish for things, one for each star. Tonight I found
that I had used up my wishes after seven, and the rest I gave away: to Bram for his cough, to Sunna for a ship, to the
boy who whistles, to the office a little patience. Wind none. The sea had stars in it as well, not so many. Lamp lit
at twenty past eight.
""",
    ),
    (
        "23 August",
        """
Wind north-west, fresh; the first morning on which I looked for my jersey. The terns are leaving. For days they have
shouted about it, and today all rose at once, a white noise over the rock, went around the tower three times and then
south. They will be in Africa before I have finished the potatoes. It is very still without them. I had not thought
that I would miss creatures that have bitten me so often. The cat went out, sat in the middle of the empty place and
looked in all directions, the owner of everything. In the afternoon I mended the roof of the shed and did not think of
winter more than twice. Lamp lit at eight.
""",
    ),
)
