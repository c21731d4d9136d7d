"""What invented fans say: small, friendly things."""

HELLOS = (
    "Hi {name}! I just subscribed, happy to be here",
    "Hello! Your last set made me stay. So good!",
    "Hey {name}, new here. Where should I begin?",
    "Hi! A friend told me about your page",
)
LINES = (
    "Good morning! How did the shoot go?",
    "That last photo is my new favourite",
    "Are you live this weekend?",
    "Just saw your post, you look so happy there!",
    "I had the longest day, your pictures helped",
    "What camera do you use?",
    "Did you find a name for the new series yet?",
    "It rains here & I am drinking tea. And you?",
    "Will there be more from the lake?",
    "You always pick the best light",
    "Thank you for the kind words yesterday <3",
    "When is the next set coming?",
    "I showed your page to my sister, she loves it too",
    "Do you ever come to the north?",
    "Loved the behind-the-scenes clip!",
    "Happy Friday!\nAny plans?",
    "That story about the train made me laugh",
    "I keep coming back to the black & white ones",
    "Sleep well when you get there!",
    "Would you do a question hour again?",
)
REPLIES = (
    "Oh, thank you for writing back!",
    "That made my day",
    "Haha, I knew it",
    "Really? Tell me more!",
    "Sounds wonderful",
    "I will be there!",
    "Deal :)",
    "You are the best",
    "Perfect, thank you!",
    "Good to know. Have a lovely evening!",
)
THANKS = (
    "A little something for you",
    "For a coffee on me",
    "Because today was a good one",
    "For the next roll of film",
)
BOUGHT = ("Just opened it. Wow!", "Worth every cent", "I could look at this all day")
NEWCOMERS = (
    "Linus Appleby",
    "Greta Silverbrook",
    "Milo Hazelwood",
    "Edith Fairweather",
    "Quentin Larch",
    "Amelie Sandpiper",
    "Rowan Pebble",
    "Josephine Tide",
    "Basil Merriweather",
    "Nell Lightfoot",
    "Oscar Fennimore",
    "Viola Greenaway",
)
