"""The keeper's log of Tern Rock Light, December to February."""

from __future__ import annotations

ENTRIES = (
    (
        "3 December",
        """
Wind north-west, strong. Sea grey with white tops. Glass falling since noon. The last boat before Christmas came
today, and old Bram did not stay for tea. He looked at the sky, put the sacks on the landing and was gone. I carried
flour, oil and two letters up the ninety steps, one load at a time. The cat sat on the last sack as if she had ordered
it. Toward evening the gulls came in and stood along the wall with their heads low, all facing the same way. They know
more than the glass does. I have tied down the boat and closed the shutters on the north side. Lamp lit at four. Let
it blow.
""",
    ),
    (
        "7 December",
        """
Storm from the west all night, a little less this morning. The spray went over the top of the tower. I did not think
that I would ever see that again. One pane in the lamp room is cracked from side to side, and I have put a board
behind it until the glass man can come, which may be March. The noise is the worst of it. The whole rock hums, and the
cups on the shelf hum with it. I slept in the chair with my boots on. At six a coal ship passed, far out and very
slow, and blew her horn once. I opened the door and waved like a child, though nobody could see me. Lamp burned well
until eight.
""",
    ),
    (
        "12 December",
        """
Calm at last. Wind light from the south, sky white, sea like oil. I walked around the rock to count what the storm has
taken: the small ladder, eleven roof tiles, half of the cabbage bed and the bench. It has also brought something. In
the gap below the steps lies a green door with a brass handle, a good one, from some house or ship. I pulled it up
with a rope, and now it leans in the hall, a door that leads nowhere. The cat went behind it to see. I have been
looking at it all day and trying to think who closed it last. Glass high. Lamp lit at ten to four.
""",
    ),
    (
        "19 December",
        """
Fog. I could not see the foot of the tower from the door. On such days the bell is my whole work: two strokes every
minute, by the clock, and the arm gets long. Sound goes strange ways in fog. I heard a man cough as if he stood beside
me, and it must have been a fisherman half a mile away. Later a voice called, "Where are you?" and I called back,
"Here!" and struck the bell. It called again, nearer, then farther, and then no more. In the evening it lifted for a
quarter of an hour. Three boats lay to the east, all safe. I was so glad that I gave the cat a whole fish. Bell
stopped at nine.
""",
    ),
    (
        "24 December",
        """
Frost on the inside of the windows. Wind north-east, steady and dry, stars so clear that one could almost hear them. I
cleaned the lamp with the good cloth, as I do on this evening each year, and polished the brass until I saw my beard
in it. Then I read aloud from the old book, to the cat and to the stove. At seven the village lit its fire on the
beach, seven miles away, a small red point, and I swung the shutter three times to greet them. They put the fire out
and lit it again. That is all we can say to each other, and it is enough. Soup, bread, an orange from the last boat.
Lamp bright. Peace on the water.
""",
    ),
    (
        "31 December",
        """
Last day of the year. Wind west, fresh, with showers of hail. I have gone through the book to add things up, as the
office wants it. Nights that the lamp burned: three hundred and sixty-five. Ships seen: one thousand and ninety. Ships
lost: none. Panes broken: four. Visitors: twenty-two, if I count the bishop and the goat. The office has no line for
the things I would like to write there, such as whales, which were six, or evenings when I was lonely, which were
fewer than last year. I shall stay up until midnight, since I must be up in any case. The hail sings on the glass.
Lamp lit at four, and it will burn into the new year without noticing.
""",
    ),
    (
        "4 January",
        """
Wind north, bitter. The rain barrel is frozen to the bottom and I melt snow for tea. When the spray hits the wall, it
stays there, and by now the west side of the tower has a white beard down to the rocks. I chopped the steps free with
the small axe and threw ashes on them. An odd guest came at noon: a small brown owl, blown here from the land, so
tired that it let me lift it. It sits on the coat hook and looks at the cat, and the cat looks at it, and neither
wants to be the first to move. I have left them a window open. Glass low and not sure of itself. Lamp lit at ten past
four.
""",
    ),
    (
        "11 January",
        """
The owl has left. It went in the night, and there was one feather on the floor, and the cat pretended to know nothing.
Wind south-west, mild, rain in long grey curtains that walk over the sea one after the other. I used the day for the
clock. It had lost two minutes a week since autumn, and a lamp that turns by a slow clock tells lies to ships. I took
it apart on the table, oiled each wheel, and put it back with only one small screw left over. It now runs as it
should. I shall keep the screw in a cup, in case the clock asks for it. Four ships before dark, all going home. Lamp
steady, turning once in thirty seconds, and truly thirty.
""",
    ),
    (
        "20 January",
        """
Clear and very cold. Wind east, hardly any. The sea smoked this morning, as it does when the air is colder than the
water, and the boats seemed to float on cloud. I saw a seal sleep upright in the bay like a bottle, nose to the sky.
Bram could not come, but his daughter Sunna did, alone in the little boat, with oil and a loaf still warm under her
coat. She is sixteen and rows better than he ever did. She climbed to the lamp room and asked how far the light goes.
Eighteen miles, I said. She looked for a long time and said that she would like to go at least that far. I gave her
the brass button I found in May. Lamp lit at twenty to five.
""",
    ),
    (
        "29 January",
        """
Wind south, rising. Rain by noon. I have had a cold for three days, and the steps have grown in number: I count one
hundred and four now, and it was ninety. The work does not ask how I feel. The lamp wants its oil at four, at nine and
at two, and so I go up with a scarf around my head, a lantern in one hand, and stop on each floor to cough at the
wall. The cat comes with me the whole way. She has never done so before, and she goes ahead and waits at each turn, as
one waits for an old person. I told her that I am not that old. Honey in hot water, early to bed between the rounds.
Lamp has not missed a turn.
""",
    ),
    (
        "8 February",
        """
No wind at all, which is rare in this month. I could hear the school bell on the land. The sea lay so flat that the
tower stood in it upside down, and I saw my own small window and nearly waved. I took the boat around the rock to look
at the chains below the landing. Two links are thin as a finger and must be changed before spring. On the way back a
porpoise came up beside me, breathed out once, a warm and fishy breath, and went under without hurry. I sat there with
dry oars until my hands were cold. One should write down such hours, as they weigh nothing and are soon lost. Lamp lit
at a quarter past five.
""",
    ),
    (
        "17 February",
        """
Snow, the first that stayed. Wind north-east, moderate. All is white down to the line of the tide, and there the black
begins, as if drawn with a ruler. The hens would not leave the shed. I swept the gallery every hour, for snow on the
glass makes the light blind, and a blind light is worse than none. In the afternoon I found the steps of the cat
around the whole rock, one clean round, and at the end of it the cat, who was very proud and wet. A steamer asked by
flag whether we need help. I answered: No, thank you, we have snow. I believe they laughed. Lamp lit at half past
five, and the flakes flew through the beam like small white birds.
""",
    ),
)
